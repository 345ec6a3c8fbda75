/** `elscope run` in processes of its own: what it prints where, how it ends, and what it refuses. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { SAMPLES } from '../../../src/build/paths';
import { elscope, file, type RunOptions, scratch, words } from './program';

const sample = (name: string): string => path.join(SAMPLES, `${name}.elf`);
const HVC = 0xd4000002;
const POWER_OFF = [0xd2800100, 0xf2b08000, HVC]; // mov x0, #8; movk x0, #0x8400, lsl #16; hvc #0
const HERE = 0x14000000;
const WFI = 0xd503207f;

/** Prints what it is sent, until a q: mov x2, #0x09000000; 1: ldr w1, [x2, #0x18]; tbnz w1, #4, 1b; ldr w0, [x2]; str w0, [x2];
 * cmp w0, #'q'; b.ne 1b. */
const ECHO = [0xd2a12002, 0xb9401841, 0x3727ffe1, 0xb9400040, 0xb9000040, 0x7101c41f, 0x54ffff61, ...POWER_OFF];

/** The same, but waits by WFI for the UART's interrupt (which stays masked): the distributor and the CPU interface on, interrupt
 * 33 enabled and for core 0, UARTIMSC.RXIM and .RTIM set; 1: wfi; then as above, back to the WFI when nothing is there. */
const ECHO_BY_INTERRUPT = [
  ...[0xd2a10002, 0x52800023, 0xb9000043, 0x52800043, 0xb9010443, 0x3200c3e3, 0xb9082043, 0xd2a10022, 0x52801fe3],
  ...[0xb9000443, 0x52800023, 0xb9000043, 0xd2a12002, 0x52800a03, 0xb9003843, 0xd503207f, 0xb9401841, 0x3727ffc1],
  ...[0xb9400040, 0xb9000040, 0x7101c41f, 0x54ffff61, ...POWER_OFF],
];

/** Semihosting SYS_EXIT: adr x1, .+16; mov w0, #0x18; hlt #0xf000; nop; { ADP_Stopped_ApplicationExit, code }. */
const exitWith = (code: number): Uint8Array =>
  words(0x10000081, 0x52800300, 0xd45e0000, 0xd503201f, 0x20026, 0, code, 0);

describe('ends', () => {
  test('0 when the guest powers off', async () => {
    const { code, stdout, stderr } = await elscope(['run', sample('selfmod')]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /^selfmod: CTR_EL0 0x8444c004, IDC 0, DIC 0\nvariant full: ran 2 \(new\)\n[\s\S]*selfmod: end\n$/,
    );
  });

  test('0 when the guest exits with 0, with its own code otherwise', async () => {
    assert.equal((await elscope(['run', file('zero.bin', exitWith(0))])).code, 0);
    const { code, stderr } = await elscope(['run', file('exit.bin', exitWith(42))]);
    assert.equal(code, 42);
    assert.equal(stderr, 'elscope: guest ended with code 42 (semihosting exit)\n');
  });

  test('1 when all cores wait and nobody can type', async () => {
    const { code, stderr } = await elscope(['run', file('wfi.bin', words(WFI))]);
    assert.deepEqual([code, stderr], [1, 'elscope: every core waits and nothing will wake one\n']);
  });

  test('in two parts, with a snapshot between them, as in one', async () => {
    const stats = path.join(scratch(), 'parts.json');
    const snapshot = path.join(scratch(), 'snapshot');
    const args = ['run', sample('jit'), '--memory', '16M', '--seed', '5'];
    const whole = await elscope([...args, '--stats', stats]);
    const instructions: number = JSON.parse(readFileSync(stats, 'utf8')).instructions;
    const first = await elscope([...args, '--max-instructions', '500000', '--save', snapshot]);
    assert.equal(first.code, 4);
    const second = await elscope([...args, '--load', snapshot, '--stats', stats, '--save', snapshot]);
    assert.deepEqual([second.code, first.stdout + second.stdout], [0, whole.stdout]);
    assert.equal(second.stderr, 'elscope: no snapshot is saved: the guest has ended\n');
    assert.equal(JSON.parse(readFileSync(stats, 'utf8')).instructions, instructions);
    const other = await elscope(['run', sample('jit'), '--load', snapshot]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /^elscope: the snapshot ".*" is of another machine: .*\n$/);
    const none = await elscope([...args, '--load', sample('jit')]);
    assert.deepEqual([none.code, none.stderr.includes('is no snapshot')], [2, true]);
  });

  test('a virtual machine that is saved, moved by a schedule, and restored under two releases', async () => {
    const saved = path.join(scratch(), 'vm.json');
    const stats = path.join(scratch(), 'vms.json');
    const machine = (core: number): string => {
      const vms = [{ memory: '4M', vcpus: [{ core }] }];
      return file(`m2-${core}.json`, JSON.stringify({ preset: 'm2-like', hypervisor: { kvm: '6.2', vms } }));
    };
    const args = ['run', sample('kvm-ccsidr'), '--memory', '64M', '--machine'];
    const moves = file('moves', '20 vm1/vcpu0 2\n');
    const first = await elscope([
      ...args,
      ...[machine(0), '--max-instructions', '30000', '--save-vm', saved, '--schedule', moves, '--stats', stats],
    ]);
    assert.equal(first.code, 4, first.stderr);
    const [vcpu] = JSON.parse(readFileSync(stats, 'utf8')).vms[0].vcpus;
    assert.ok(vcpu.entries > 20 && vcpu.exits.DABT_LOW.count > 10 && vcpu.exits.DABT_LOW.cycles > 1000);
    const refused = await elscope([...args, machine(4), '--restore-vm', saved]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /KVM_SET_ONE_REG CCSIDR_EL1\[0\] = 0x700fe03a of vCPU 0: EINVAL\)\n$/);
    const moved = await elscope([...args, machine(4), '--kvm', '6.3', '--restore-vm', saved]);
    assert.equal(moved.code, 0, moved.stderr);
    assert.match(first.stdout + moved.stdout, /core 0: .*\n[\s\S]*core 4: .*L1D 0x700fe03a/);
    const none = await elscope([...args, machine(4), '--restore-vm', moves]);
    assert.deepEqual([none.code, none.stderr.includes('is no saved virtual machine: it is no JSON')], [2, true]);
  });

  test('1 when a core does nothing but take one exception', async () => {
    const { code, stderr } = await elscope(['run', file('udf.bin', words(0))]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^elscope: core0 takes the same exception for ever: unknown reason.*, at EL1, PC 0x200, ESR 0x2000000, FAR .*\n$/,
    );
  });

  test('4 at the limit, to the instruction', async () => {
    const stats = path.join(scratch(), 'limit.json');
    const args = ['run', file('here.bin', words(HERE)), '--max-instructions', '123457', '--stats', stats];
    const { code, stderr } = await elscope(args);
    assert.deepEqual([code, stderr], [4, 'elscope: instruction limit of 123457 reached\n']);
    assert.equal(JSON.parse(readFileSync(stats, 'utf8')).instructions, 123457);
  });

  test('0 at --until-console, and says what never came otherwise', async () => {
    const run = (text: string) => elscope(['run', sample('selfmod'), '--until-console', text]);
    const seen = await run('variant full');
    assert.deepEqual([seen.code, seen.stderr], [0, '']);
    assert.match(seen.stdout, /variant full$/, 'ends there');
    const args = ['run', file('here.bin', words(HERE)), '--until-console', 'x\\n', '--max-instructions', '1000'];
    const never = await elscope(args);
    assert.equal(never.code, 4);
    assert.match(never.stderr, /^elscope: the console never said "x\\n"\n/);
  });
});

describe('the console', () => {
  const echo = (args: readonly string[], options?: RunOptions) =>
    elscope(['run', file('echo.bin', words(...ECHO)), ...args], options);

  test('stdin feeds the UART', async () => {
    const { code, stdout } = await echo([], { stdin: 'hello\x01 q' });
    assert.deepEqual([code, stdout], [0, 'hello\x01 q'], 'Ctrl-A is special on a terminal only');
  });

  test('typed text is answered by what comes next', async () => {
    const { code, stdout } = await echo([], {
      stdin: (child) => {
        child.stdout?.on('data', (chunk: Buffer) => child.stdin?.write(chunk.toString() === 'a' ? 'q' : ''));
        child.stdin?.write('a');
      },
    });
    assert.deepEqual([code, stdout], [0, 'aq']);
  });

  test('a guest that sleeps is woken by what is typed, and ends when nobody can type any more', async () => {
    const image = file('sleepy.bin', words(...ECHO_BY_INTERRUPT));
    const answered = await elscope(['run', image], {
      stdin: (child) => {
        child.stdout?.on('data', (chunk: Buffer) => child.stdin?.write(chunk.toString() === 'a' ? 'q' : ''));
        child.stdin?.write('a');
      },
    });
    assert.deepEqual([answered.code, answered.stdout], [0, 'aq']);
    const ended = await elscope(['run', image], { stdin: 'ab' });
    assert.deepEqual([ended.code, ended.stdout], [1, 'ab']);
    assert.match(ended.stderr, /every core waits and nothing will wake one/);
  });

  test('whoever reads may stop reading', async () => {
    // mov x2, #0x09000000; mov w0, #'a'; str w0, [x2]; b .-4
    const endless = file('endless.bin', words(0xd2a12002, 0x52800c20, 0xb9000040, 0x17ffffff));
    const { code, stderr } = await elscope(['run', endless], {
      stdin: (child) => {
        child.stdout?.once('data', () => child.stdout?.destroy());
      },
    });
    assert.deepEqual([code, stderr], [1, '']);
  });

  test('--expect and --send', async () => {
    const pairs = ['--expect', 'ab', '--send', 'c\\x64', '--expect', 'cd', '--send', 'q'];
    assert.deepEqual(await echo(pairs, { stdin: 'ab' }), { code: 0, stdout: 'abcdq', stderr: '' });
  });

  test('--el is where a guest starts', async () => {
    const first = async (...args: string[]) =>
      (await elscope(['run', sample('el-tour'), ...args])).stdout.split('\n')[0];
    assert.match(await first(), /^\[EL2\] entered/);
    assert.match(await first('--el', '3'), /^\[EL3\] entered/);
    assert.match(await first('--el=1'), /EL1/);
  });
});

test('--stats', async () => {
  const stats = path.join(scratch(), 'stats.json');
  const args = ['run', sample('two-lines'), '--machine', 'mixed-lines', '--cpus', '2', '--stats', stats];
  assert.equal((await elscope(args)).code, 0);
  const report = JSON.parse(readFileSync(stats, 'utf8'));
  assert.equal(report.cores.length, 2);
  assert.equal(report.instructions, report.cores[0].instructions + report.cores[1].instructions);
  assert.ok(report.seconds > 0 && report.guestSeconds > 0);
  assert.equal(report.findings, 0);
  for (const core of report.cores) {
    assert.equal(core.l1i.hits + core.l1i.misses, core.instructions);
    for (const name of ['l1i', 'l1d', 'l2', 'tlb'])
      assert.deepEqual(Object.keys(core[name]), ['hits', 'misses'], `${name}: ${JSON.stringify(core[name])}`);
    assert.ok(core.l1d.hits > 0 && core.l1d.misses > 0 && core.cycles > core.instructions);
    assert.equal(typeof core.exceptions, 'number');
  }
});

test('the same seed gives the same counts', async () => {
  const counts = async (seed: string): Promise<unknown> => {
    const stats = path.join(scratch(), 'seed.json');
    const args = ['run', sample('jit'), '--machine', 'cortex-a53', '--seed', seed, '--stats', stats];
    assert.equal((await elscope(args)).code, 0);
    const { seconds, ...rest } = JSON.parse(readFileSync(stats, 'utf8'));
    assert.equal(typeof seconds, 'number');
    return rest;
  };
  assert.deepEqual(await counts('7'), await counts('7'));
});

/** The sample with bytes replaced: offset → bytes. */
function damaged(changes: Readonly<Record<number, readonly number[]>>): Buffer {
  const bytes = Buffer.from(readFileSync(sample('selfmod')));
  for (const [at, values] of Object.entries(changes)) Buffer.from(values).copy(bytes, Number(at));
  return bytes;
}
/** Offsets of the sample's only program header, of fields in it, and of room for another. */
const HEADER = 64;
const HEADER_SIZE = 56;
const [P_PADDR, P_MEMSZ] = [24, 40];
const E_PHNUM = 56;

describe('2 and one line', () => {
  const refused = (what: string, args: () => readonly string[], message: RegExp): void =>
    void test(what, async () => {
      const { code, stdout, stderr } = await elscope(args());
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^elscope: [^\n]+\n$/);
      assert.match(stderr, message);
    });
  const image = (name: string, content: () => Uint8Array): (() => readonly string[]) => {
    return () => ['run', file(name, content())];
  };

  refused(
    'a 32-bit ELF',
    image('class.elf', () => damaged({ 4: [1] })),
    /"[^"]*class\.elf" is a 32-bit ELF file/,
  );
  refused(
    'a big-endian ELF',
    image('endian.elf', () => damaged({ 5: [2] })),
    /big-endian/,
  );
  refused(
    'an ELF for x86-64',
    image('x86.elf', () => damaged({ 18: [62, 0] })),
    /another machine \(e_machine 62\)/,
  );
  refused(
    'an object file',
    image('object.o', () => damaged({ 16: [1, 0] })),
    /not a linked program/,
  );
  refused(
    'a cut ELF',
    image('cut.elf', () => damaged({}).subarray(0, 5000)),
    /is cut off: .* lie outside/,
  );
  refused(
    'a cut ELF header',
    image('head.elf', () => damaged({}).subarray(0, 30)),
    /is cut off: parts of the file header/,
  );
  refused(
    'a segment of 2^40 bytes',
    image('huge.elf', () => damaged({ [HEADER + P_MEMSZ]: [0, 0, 0, 0, 0, 1, 0, 0] })),
    /asks for 1099511627776 bytes of memory/,
  );
  refused(
    'a segment beyond memory',
    image('far.elf', () => damaged({ [HEADER + P_PADDR]: [0, 0, 0, 0xf0, 0, 0, 0, 0] })),
    /far\.elf.* 0xf0000000/,
  );
  refused(
    'overlapping segments',
    image('overlap.elf', () =>
      damaged({ [E_PHNUM]: [2, 0], [HEADER + HEADER_SIZE]: [...damaged({}).subarray(HEADER, HEADER + HEADER_SIZE)] }),
    ),
    /two segments of "[^"]*overlap\.elf" overlap in physical memory: those at 0x40200000 and 0x40200000/,
  );
  refused('a missing file', () => ['run', 'no-such.elf'], /cannot read the program "no-such\.elf": there/);
  refused('a folder', () => ['run', scratch()], /cannot read the program .*: it is a folder/);
  refused('a missing initrd', () => ['run', '--kernel', sample('jit'), '--initrd', 'none'], /the initrd "none": there/);
  refused(
    'an image of more than 2 GiB',
    () => {
      const vast = file('vast.bin', Buffer.of(0));
      truncateSync(vast, 2 ** 31 + 1);
      return ['run', vast];
    },
    /"[^"]*vast\.bin": it is larger than 2 GiB/,
  );
  refused(
    'an empty file',
    image('empty.elf', () => Buffer.of()),
    /"[^"]*empty\.elf" is empty/,
  );
  refused(
    'an image for flash that is too large',
    () => ['run', '--bios', file('big.rom', Buffer.alloc(2 ** 26 + 1))],
    /larger than 67108864/,
  );
  refused(
    'a kernel that does not fit',
    () => ['run', '--kernel', file('big.img', Buffer.alloc(2 ** 24)), '--memory', '16M'],
    /does not fit in 16777216 bytes/,
  );
  refused(
    'an initrd that is not there',
    () => ['run', '--kernel', file('k.img', words(HERE)), '--initrd', 'none'],
    /"none"/,
  );
  refused('no image', () => ['run'], /nothing to run/);
  refused('two images', () => ['run', 'a.elf', 'b.elf'], /unexpected argument "b\.elf"/);
  refused('an image and --bios', () => ['run', sample('jit'), '--bios', sample('jit')], /more than one program/);
  refused('an unknown command', () => ['walk'], /unknown command "walk"/);
  refused('an unknown option', () => ['run', '--fast'], /unknown option --fast/);
  refused('a missing value', () => ['run', sample('jit'), '--cpus'], /--cpus needs a value/);
  refused('too many cores', () => ['run', sample('jit'), '--cpus', '9'], /--cpus 9 is not a whole number from 1 to 8/);
  refused('a bad size', () => ['run', sample('jit'), '--memory', 'lots'], /memory size of lots/);
  refused('a level that is none', () => ['run', sample('jit'), '--el', '0'], /--el 0/);
  refused('GIC version 4', () => ['run', sample('jit'), '--gic', '4'], /--gic 4/);
  refused('a checker mode that is none', () => ['run', sample('jit'), '--check', 'maybe'], /--check maybe/);
  refused('half a pair', () => ['run', sample('jit'), '--expect', 'x'], /--expect and --send come in pairs/);
  refused(
    'an unknown machine',
    () => ['run', sample('jit'), '--machine', 'pdp11'],
    /no machine preset or file "pdp11"/,
  );
  refused(
    'a bad machine file',
    () => ['run', sample('jit'), '--machine', file('m.json', '{"cores": 5}')],
    /m\.json" has a bad "cores"/,
  );
  refused('a limit of nothing', () => ['run', sample('jit'), '--max-instructions', '0'], /--max-instructions 0/);
  refused(
    'a report that cannot be written',
    () => ['run', file('zero.bin', exitWith(0)), '--stats', '/no/such/folder/x'],
    /cannot write "\/no\/such/,
  );
  refused(
    'a bad device tree',
    () => ['run', sample('jit'), '--dtb', sample('jit')],
    /device tree "[^"]*" is not valid/,
  );
  refused('nothing to explain', () => ['explain', 'frobnicate'], /nothing is known of "frobnicate"/);
});

test('help, with and without being asked for', async () => {
  const help = await elscope(['--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /elscope run \[IMAGE\][\s\S]*--until-console TEXT/);
  assert.deepEqual(await elscope(['run', '--help']), help);
  const none = await elscope([]);
  assert.deepEqual([none.code, none.stdout], [2, help.stdout]);
});

test('--machine list', async () => {
  const { code, stdout } = await elscope(['run', '--machine', 'list']);
  assert.equal(code, 0);
  assert.match(stdout, /^cortex-a57 +PIPT I-cache, IDC=0, DIC=0: the default$/m);
  assert.equal(stdout.trim().split('\n').length, 9);
});

describe('explain', () => {
  const explained = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await elscope(['explain', ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  test('an instruction word, which may be a syndrome too', async () => {
    const text = await explained('0xd65f03c0');
    assert.match(text, /^as an instruction: ret /);
    assert.match(text, /\bEC\b/);
  });
  test('a word without 0x, as a disassembler prints it, and zero', async () => {
    assert.match(await explained('d65f03c0'), /^as an instruction: ret /);
    assert.match(await explained('91000400'), /^as an instruction: add x0, x0, #1 /);
    assert.match(await explained('0'), /^as an instruction: udf #0 /);
  });
  test('numbers of implementers and parts as the manuals write them', async () => {
    assert.match(await explained('MIDR_EL1'), /0x41 Arm;[\s\S]*0xd03 Cortex-A53/);
  });
  test('a value that is none', async () => {
    for (const value of ['zz', '0x1ffffffffffffffff', '-1', '']) {
      const { code, stderr } = await elscope(['explain', `CTR_EL0=${value}`]);
      assert.deepEqual([code, stderr.includes(`"${value}" is no value of 64 bits`)], [2, true], stderr);
    }
  });
  test('a register', async () => assert.match(await explained('ctr_el0'), /^CTR_EL0: [\s\S]*IminLine/));
  test('a register with a value', async () => assert.match(await explained('CTR_EL0=0x8444c004'), /L1Ip.*PIPT/));
  test('an operation', async () => assert.match(await explained('ic', 'ivau'), /^IC IVAU: /));
  test('a syndrome', async () => assert.match(await explained('ESR=0x96000045'), /Data Abort/i));
});
