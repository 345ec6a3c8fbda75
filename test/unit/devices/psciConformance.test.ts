/**
 * PSCI and SMCCC as a guest calls them, on two cores: every function with good and bad arguments, at EL1 by HVC and at EL2 by
 * SMC. The answers are those of DEN 0022 and DEN 0028; where QEMU's are others, a list says why.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { hasCrossCompiler } from '../../../src/build/crossCompiler';
import { psciFunctions } from '../../../src/devices/psci';
import { launch } from '../../../src/machine/launch';
import { nodePorts } from '../../../src/worker/nodePorts';
import { hasQemu, runOnQemu } from '../../guests/qemu';

const SUCCESS = 0n;
const NOT_SUPPORTED = -1n;
const INVALID_PARAMETERS = -2n;
const ALREADY_ON = -4n;
const INVALID_ADDRESS = -9n;
const ENTRY = 0x4008_0000n;

interface CallRow {
  readonly call: readonly [bigint, bigint?, bigint?, bigint?];
  readonly answer: bigint;
  /** QEMU's answer, and why it is another one. */
  readonly qemu?: readonly [bigint, string];
}

const features = (id: bigint, answer: bigint, qemu?: CallRow['qemu']): CallRow => ({
  call: [0x8400000an, id],
  answer,
  qemu,
});
const noSmccc = [NOT_SUPPORTED, 'QEMU has no SMCCC_VERSION'] as const;

const calls: readonly CallRow[] = [
  { call: [0x84000000n], answer: 0x10001n },
  { call: [0xffff_ffff_8400_0000n], answer: 0x10001n, qemu: [NOT_SUPPORTED, 'it looks at all of X0'] },
  { call: [0xc4000000n], answer: NOT_SUPPORTED },
  // CPU_SUSPEND: reserved bits of power_state.
  { call: [0xc4000001n, 0x8000_0000n], answer: INVALID_PARAMETERS },
  { call: [0x84000001n, 0x0002_0000n], answer: INVALID_PARAMETERS },
  { call: [0xc4000001n, 0x0100_0000n], answer: INVALID_PARAMETERS },
  // AFFINITY_INFO of both cores, of none, at other levels.
  { call: [0xc4000004n, 0n, 0n], answer: 0n },
  { call: [0x84000004n, 1n, 0n], answer: 1n },
  { call: [0xc4000004n, 2n, 0n], answer: INVALID_PARAMETERS },
  { call: [0xc4000004n, 1n << 40n, 0n], answer: INVALID_PARAMETERS },
  { call: [0xc4000004n, 0n, 1n], answer: INVALID_PARAMETERS, qemu: [0n, 'it says on for all higher levels'] },
  // MIGRATE, MIGRATE_INFO_TYPE, MIGRATE_INFO_UP_CPU: no Trusted OS.
  { call: [0x84000005n, 0n], answer: NOT_SUPPORTED },
  { call: [0xc4000005n, 0n], answer: NOT_SUPPORTED },
  { call: [0x84000006n], answer: 2n },
  { call: [0x84000007n], answer: NOT_SUPPORTED },
  // Optional functions that are not there: CPU_FREEZE to MEM_PROTECT_CHECK_RANGE.
  ...[0xbn, 0xcn, 0xdn, 0xen, 0xfn, 0x10n, 0x11n, 0x13n, 0x14n].flatMap((n): CallRow[] => [
    { call: [0x84000000n + n], answer: NOT_SUPPORTED },
    { call: [0xc4000000n + n], answer: NOT_SUPPORTED },
    features(0x84000000n + n, NOT_SUPPORTED),
  ]),
  // SYSTEM_RESET2 with types that do not exist.
  ...[0x84000012n, 0xc4000012n].map(
    (id): CallRow => ({
      call: [id, 1n],
      answer: INVALID_PARAMETERS,
      qemu: [NOT_SUPPORTED, 'QEMU has no SYSTEM_RESET2'],
    }),
  ),
  { call: [0x84000012n, 0x8000_0000n], answer: INVALID_PARAMETERS, qemu: [NOT_SUPPORTED, 'no SYSTEM_RESET2'] },
  // FEATURES of every function, in the forms that exist and in those that do not.
  ...[0n, 1n, 2n, 3n, 4n, 6n, 8n, 9n, 0xan].map((n) => features(0x84000000n + n, SUCCESS)),
  ...[1n, 3n, 4n].map((n) => features(0xc4000000n + n, SUCCESS)),
  ...[0x12n].map((n) => features(0x84000000n + n, SUCCESS, [NOT_SUPPORTED, 'QEMU has no SYSTEM_RESET2'])),
  features(0xc4000012n, SUCCESS, [NOT_SUPPORTED, 'QEMU has no SYSTEM_RESET2']),
  ...[0n, 2n, 8n, 9n, 0xan].map((n) => features(0xc4000000n + n, NOT_SUPPORTED)),
  features(0x84000005n, NOT_SUPPORTED),
  // Of version 1.3.
  features(0xc4000015n, NOT_SUPPORTED),
  { call: [0xc4000015n, 1n], answer: NOT_SUPPORTED },
  features(0xc4000005n, NOT_SUPPORTED),
  features(0x80000000n, SUCCESS, noSmccc),
  features(0x80000001n, NOT_SUPPORTED),
  features(0x12345678n, NOT_SUPPORTED),
  // SMCCC.
  { call: [0x80000000n], answer: 0x10001n, qemu: noSmccc },
  { call: [0x80000001n, 0x80000000n], answer: SUCCESS, qemu: noSmccc },
  { call: [0x80000001n, 0x80000001n], answer: SUCCESS, qemu: noSmccc },
  { call: [0x80000001n, 0x80000002n], answer: NOT_SUPPORTED },
  { call: [0x80000001n, 0x80008000n], answer: NOT_SUPPORTED },
  { call: [0x80000002n], answer: NOT_SUPPORTED },
  { call: [0xc0000000n], answer: NOT_SUPPORTED },
  { call: [0x84000050n], answer: NOT_SUPPORTED },
  { call: [0x8600ff01n], answer: NOT_SUPPORTED },
  // CPU_ON: bad targets and addresses, then core 1, then again.
  { call: [0xc4000003n, 5n, ENTRY, 0n], answer: INVALID_PARAMETERS },
  { call: [0xc4000003n, 0x8000_0001n, ENTRY, 0n], answer: INVALID_PARAMETERS },
  { call: [0xc4000003n, 0n, ENTRY, 0n], answer: ALREADY_ON },
  ...[1n << 50n, 0x0900_0000n].map(
    (entry): CallRow => ({
      call: [0xc4000003n, 1n, entry, 0n],
      answer: INVALID_ADDRESS,
    }),
  ),
  { call: [0xc4000003n, 1n, ENTRY, 0n], answer: SUCCESS },
  { call: [0xc4000003n, 1n, ENTRY, 0n], answer: ALREADY_ON },
  { call: [0xc4000004n, 1n, 0n], answer: 0n },
];
/** Calls that QEMU would do, with an effect: it starts cores anywhere. */
const onlyHere = (row: CallRow): boolean => row.answer === INVALID_ADDRESS;

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const text = (value: bigint): string => unsigned(value).toString(16).padStart(16, '0');

function assemble(rows: readonly CallRow[], folder: string): string {
  const values = rows.flatMap(({ call }) => [0, 1, 2, 3].map((i) => call[i] ?? 0n));
  const entry = (value: bigint): string => (value === ENTRY ? 'second' : `0x${value.toString(16)}`);
  const source = readFileSync(path.join(import.meta.dirname, 'psciProgram.S'), 'utf8');
  const file = path.join(folder, `psci${rows.length}.elf`);
  const options = ['-x', 'assembler', '-nostdlib', '-static', '-Wl,-Ttext=0x40080000', '-Wl,--build-id=none'];
  const made = spawnSync('aarch64-linux-gnu-gcc', [...options, '-o', file, '-'], {
    input: source.replace('CALLS', values.map(entry).join(', ')),
  });
  assert.equal(made.status, 0, made.stderr.toString());
  return file;
}

function onElscope(file: string, el: 1 | 2): string {
  const { machine } = launch({ program: file, el, cpus: 2, memory: '16M', checker: 'off' }, nodePorts());
  let out = '';
  machine.onConsole((_uart, bytes) => {
    out += Buffer.from(bytes).toString();
  });
  const stop = machine.run(10_000_000);
  assert.deepEqual(stop, { reason: 'exited', code: 0, how: 'PSCI SYSTEM_OFF' });
  return out;
}

const lines = (out: string): string[] => out.replaceAll('\r', '').trim().split('\n');

describe('PSCI and SMCCC', { skip: hasCrossCompiler() ? false : 'there is no cross compiler' }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const el of [1, 2] as const) {
    test(`answers at EL${el}`, () => {
      const answers = lines(onElscope(assemble(calls, folder), el));
      const wrong = calls.flatMap(({ call, answer }, i) =>
        answers[i] === text(answer) ? [] : [`${call.map((v) => (v ?? 0n).toString(16)).join(' ')}: ${answers[i]}`],
      );
      assert.deepEqual(wrong, []);
    });

    test(`QEMU at EL${el}`, { skip: hasQemu() ? false : 'QEMU is not installed' }, async () => {
      const rows = calls.filter((row) => !onlyHere(row));
      const result = await runOnQemu({ kernel: assemble(rows, folder), el, cpus: 2 });
      const answers = lines(result.console);
      const wrong = rows.flatMap(({ call, answer, qemu }, i) => {
        if (qemu !== undefined && answers[i] === text(answer)) return [`${call[0].toString(16)}: no difference by now`];
        const expected = qemu === undefined ? answer : qemu[0];
        return answers[i] === text(expected)
          ? []
          : [`${call.map((v) => (v ?? 0n).toString(16)).join(' ')}: ${answers[i]}`];
      });
      assert.deepEqual(wrong, []);
    });
  }

  test('every function of the table is called', () => {
    const called = new Set(calls.map(({ call }) => Number(BigInt.asUintN(32, call[0]))));
    // These two end the run: SYSTEM_OFF ends the program, and resets have tests of their own.
    const ending = new Set(['CPU_OFF', 'SYSTEM_OFF', 'SYSTEM_RESET']);
    for (const { id, name } of psciFunctions)
      assert.ok(called.has(id) || called.has(id + 0x4000_0000) || ending.has(name), name);
  });
});
