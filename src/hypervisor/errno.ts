/**
 * Error numbers that KVM's calls and fault paths give here: Linux's generic numbers, as arm64 has them. In the model an outcome
 * is a name, so that tests and views read as the sources do; numbers are for the edge (a VMM's ioctl, a log).
 */
import { bug } from '../base/errors';

/** Number and meaning of each; source: Linux's generic errno lists. */
const rows = {
  ENOENT: [2, 'no such register'],
  E2BIG: [7, 'more than the host has'],
  ENOEXEC: [8, 'not executable'],
  EAGAIN: [11, 'try again'],
  ENOMEM: [12, 'out of memory'],
  EFAULT: [14, 'bad address'],
  EBUSY: [16, 'the VM has run'],
  EEXIST: [17, 'it exists, or overlaps'],
  ENODEV: [19, 'no such device'],
  EINVAL: [22, 'invalid argument'],
  ENOSYS: [38, 'not implemented'],
} as const satisfies Record<string, readonly [number: number, meaning: string]>;

export type ErrnoName = keyof typeof rows;

/** Success, or the name of what went wrong. */
export type Outcome = 'ok' | ErrnoName;

export const errnoNames = Object.keys(rows) as readonly ErrnoName[];

/** What a system call returns for it: 0 or the negative number. */
export const returnValue = (outcome: Outcome): number => (outcome === 'ok' ? 0 : -rows[outcome][0]);

/** The same as a 64-bit register holds it. */
export const resultOf = (outcome: Outcome): bigint => BigInt.asUintN(64, BigInt(returnValue(outcome)));

export const errnoMeaning = (name: ErrnoName): string => rows[name][1];

/** The name of a negative return value; 0 is 'ok'. */
export function outcomeOf(value: number): Outcome {
  if (value === 0) return 'ok';
  return errnoNames.find((name) => rows[name][0] === -value) ?? bug(`errno ${-value}`);
}
