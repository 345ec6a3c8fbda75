/**
 * A schedule of vCPUs as a file: a line for each move, `ENTRY VCPU CORE`, as in
 *
 *   # before its 100th guest entry vCPU 0 of the first machine goes to core 3
 *   100 vm1/vcpu0 3
 *
 * Entries are counted by vCPU from 1. They depend on nothing but the guest, so a schedule gives the same run every time; a guest
 * that never exits reaches no further entry (`slice` makes it).
 */
import { UserError } from '../base/errors';
import { decodeUtf8 } from '../base/utf8';
import type { ScheduleRow } from '../hypervisor/run/model';

export const MOST_ROWS = 10_000;
const MOST_BYTES = 2 ** 20;
const LINE = /^(\d{1,15})\s+(vm\d{1,3}\/vcpu\d{1,3})\s+(\d{1,3})$/;

/** @throws UserError schedule.line */
export function readSchedule(file: Uint8Array, path: string): ScheduleRow[] {
  const fail = (line: number, what: string): never => {
    throw new UserError('schedule.line', { path, line, what });
  };
  if (file.length > MOST_BYTES) fail(1, `the file has more than ${MOST_BYTES} bytes`);
  const rows: ScheduleRow[] = [];
  for (const [n, text] of decodeUtf8(file).split('\n').entries()) {
    const line = text.replace(/#.*/, '').trim();
    if (line === '') continue;
    const [, entry, vcpu, core] = LINE.exec(line) ?? fail(n + 1, 'it is not ENTRY VCPU CORE');
    if (Number(entry) === 0) fail(n + 1, 'guest entries are counted from 1');
    rows.push({ entry: Number(entry), vcpu, core: Number(core) });
    if (rows.length > MOST_ROWS) fail(n + 1, `there are more than ${MOST_ROWS} moves`);
  }
  return rows;
}

/** vCPUs and cores are there, and no entry has two moves. @throws UserError schedule.row */
export function checkSchedule(rows: readonly ScheduleRow[], vcpus: readonly string[], cores: number): void {
  const seen = new Set<string>();
  for (const { vcpu, entry, core } of rows) {
    const row = `${entry} ${vcpu} ${core}`;
    const fail = (what: string): never => {
      throw new UserError('schedule.row', { row, what });
    };
    if (!vcpus.includes(vcpu)) fail(`vCPUs are ${vcpus.join(', ')}`);
    if (core >= cores) fail(`cores are 0 to ${cores - 1}`);
    if (seen.has(`${entry} ${vcpu}`)) fail('this entry has another move');
    seen.add(`${entry} ${vcpu}`);
  }
}
