/** The rows of the trees: what is said, what is marked, and that rows keep their identity. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheRows, SETS_PER_PAGE, setRows } from '../../../src/extension/rows/caches';
import { coreRows, stopText } from '../../../src/extension/rows/cores';
import { findingRows, findingsText } from '../../../src/extension/rows/findings';
import { idRegisterRows } from '../../../src/extension/rows/idRegisters';
import { factTable, plain, type Row } from '../../../src/extension/rows/row';
import { stage2Rows, vmRows, vmsText } from '../../../src/extension/rows/vms';
import { watchedRows } from '../../../src/extension/rows/watchedLines';
import { caches, cell, core, cores, finding, hex64, idRegisters, noLine, page, staleLine, vms } from './sampleViews';

const pin = { address: 'patched', label: 'patched' };
const all = (rows: readonly Row[]): Row[] => rows.flatMap((row) => [row, ...all(row.children ?? [])]);
const child = (row: Row, label: string): Row => {
  const found = row.children?.find((candidate) => candidate.label === label);
  assert.ok(found, `${row.label} has no ${label}, but ${row.children?.map((c) => c.label).join(', ')}`);
  return found;
};

test('a core says where it is, at which level, and why it stopped', () => {
  const [row] = coreRows(cores(false, core({ stopReason: 'breakpoint' })));
  assert.equal(row.label, 'core 0');
  assert.equal(row.description, 'EL1 · main+0x10 · breakpoint · ASID 3');
  assert.equal(row.icon, 'debug-stackframe');
  assert.deepEqual(row.source, { path: '/guest/kernel.c', line: 12 });
  assert.equal(child(row, 'PC').value, hex64(0x40201234));
});

test('a core without symbol or source shows its PC, one that is off nothing of the kind', () => {
  const [bare, off] = coreRows(
    cores(
      true,
      core({ symbol: undefined, source: undefined, asid: undefined, vmid: 7 }),
      core({ core: 1, state: 'off' }),
    ),
  );
  assert.equal(bare.description, 'EL1 · 0x40201234 · running · VMID 7');
  assert.equal(bare.source, undefined);
  assert.ok(!bare.context?.split(' ').includes('source'));
  assert.equal(off.description, 'off · ASID 3');
  assert.equal(off.source, undefined);
});

test('WFI is told from running, and running from stopped', () => {
  const text = (running: boolean, changes: Parameters<typeof core>[0]): string =>
    coreRows(cores(running, core({ symbol: 'f', asid: undefined, ...changes })))[0].description ?? '';
  assert.equal(text(false, { state: 'wfi' }), 'EL1 · f · WFI');
  assert.equal(text(true, {}), 'EL1 · f · running');
  assert.equal(text(false, {}), 'EL1 · f · stopped');
});

test('the line above the cores names every core that caused the stop', () => {
  const view = cores(
    false,
    core({ stopReason: 'breakpoint' }),
    core({ core: 1 }),
    core({ core: 2, el: 2, stopReason: 'SVC' }),
  );
  assert.equal(stopText(view), 'Stopped by core 0 at EL1 (breakpoint), core 2 at EL2 (SVC)');
  assert.equal(stopText({ ...view, running: true }), undefined);
  assert.equal(stopText(cores(false, core())), undefined);
});

test('a register that cores do not agree on is marked, open, and shows each core', () => {
  const [ctr, clidr] = idRegisterRows(idRegisters);
  assert.equal(ctr.mark, 'differs');
  assert.equal(ctr.open, true);
  assert.equal(ctr.description, '2 different values');
  assert.deepEqual(
    ctr.children?.map((row) => [row.label, row.description]),
    [
      ['core 0', '0x8444c004 · cortex-a57'],
      ['core 1', '0x84448003 · small-lines'],
    ],
  );
  const field = child(child(ctr, 'core 1'), 'IminLine');
  assert.equal(field.description, '0x3 · 32 bytes');
  assert.equal(field.mark, 'differs');
  assert.match(field.spoken ?? '', /not the same on every core/);
  assert.equal(clidr.mark, undefined);
  assert.equal(clidr.description, '0x0a200023 on all 2 cores');
  assert.equal(child(clidr, 'LoC').description, '0x2 · level 2');
});

test('a register that one core lacks says so', () => {
  const [row] = idRegisters.rows;
  const cells = [row.cells[0], { core: 1, raw: undefined, fields: [] }];
  const [shown] = idRegisterRows({ ...idRegisters, rows: [{ ...row, cells }] });
  assert.equal(child(shown, 'core 1').description, 'not implemented · small-lines');
  assert.ok(!child(shown, 'core 1').context?.includes('value'));
});

test('a small cache opens to its sets, a large one to pages of them', () => {
  const small = cacheRows(caches(64))[0].children?.[0];
  assert.deepEqual(small?.sets, { core: 0, level: 1, kind: 'I', start: 0, count: 64 });
  const large = cacheRows(caches(200))[0].children?.[0];
  assert.equal(large?.sets, undefined);
  assert.deepEqual(
    large?.children?.map((row) => row.label),
    ['sets 0 to 63', 'sets 64 to 127', 'sets 128 to 191', 'sets 192 to 199'],
  );
  assert.equal(large?.children?.at(-1)?.sets?.count, 200 % SETS_PER_PAGE);
});

test('a cache says its geometry, and is marked when lines differ', () => {
  const [row] = cacheRows(caches(256, { differing: 2, dirty: 3 }))[0].children ?? [];
  assert.equal(row.description, '10 of 768 valid · 3 dirty · 2 differing · 48 KiB · 256 × 3 × 64 B');
  assert.equal(row.mark, 'differs');
  assert.equal(cacheRows(caches(256))[0].children?.[0].mark, undefined);
});

test('a set sums up its ways, and each way says its line', () => {
  const view = page(5, 1, 6);
  const cells = [cell(0, { state: 'dirty', differs: true, changed: true }), noLine(1)];
  const [row] = setRows({ ...view, rows: [{ set: 5, cells }] });
  assert.equal(row.description, '1 of 2, 1 dirty');
  assert.equal(row.mark, 'changedAndDiffers');
  assert.equal(child(row, 'way 0').description, '0x40201200 main · dirty');
  assert.deepEqual(child(row, 'way 0').line, { core: 0, level: 1, kind: 'I', set: 5, way: 0 });
  assert.equal(child(row, 'way 1').description, 'invalid');
  assert.equal(child(row, 'way 1').address, undefined);
});

test('sets without lines are counted, not listed', () => {
  const view = page(0, 3, 3);
  const empty = { set: 0, cells: [noLine(0), noLine(1)] };
  const [, second, third] = view.rows;
  const shown = setRows({ ...view, rows: [empty, second, third] });
  assert.deepEqual(
    shown.map((row) => row.label),
    ['set 1', 'set 2', '1 empty set'],
  );
  const left = { set: 0, cells: [{ ...noLine(0), changed: true }, noLine(1)] };
  assert.equal(setRows({ ...view, rows: [left] })[0].mark, 'changed');
  assert.deepEqual(
    setRows({ ...view, rows: [empty] }).map((row) => row.label),
    ['all sets are empty'],
  );
});

test('a watched line warns of an old line in an instruction cache only', () => {
  const behind = staleLine({ copies: staleLine().copies.filter((copy) => copy.where !== 'L1I core0') });
  const poc = { ...staleLine().copies[0], where: 'PoC', core: undefined };
  const [row] = watchedRows({ version: 1, running: false, lines: [{ ...behind, copies: [...behind.copies, poc] }] }, [
    pin,
  ]);
  assert.deepEqual([row.icon, row.mark], ['diff', 'changed']);
  assert.match(row.description ?? '', /^PoC differs/);
});

test('a watched line shows the old instruction beside the new one', () => {
  const [row] = watchedRows({ version: 1, running: false, lines: [staleLine()] }, [pin]);
  assert.equal(row.description, 'L1I core0 differs · 0x40201200');
  assert.equal(row.mark, 'changedAndDiffers');
  assert.equal(child(row, 'L1I core0').description, 'mov w0, #1 · differs · 52800020');
  assert.equal(child(row, 'L1I core0').mark, 'differs');
  assert.equal(child(row, 'L1D core0').description, 'mov w0, #2 · dirty · changed · 52800040');
  assert.equal(child(row, 'L1D core0').mark, 'changed');
  assert.equal(child(row, 'L2 cluster0').description, 'not there');
  assert.equal(child(row, 'PoU').description, 'mov w0, #2 · 52800040');
  const [first, second] = child(row, 'L1I core0').children ?? [];
  assert.equal(first.description, 'mov w0, #1  52800020');
  assert.equal(first.mark, 'differs');
  assert.deepEqual(first.highlights, [[0, 10]]);
  assert.equal(second.mark, undefined);
  assert.equal(second.highlights, undefined);
});

test('the word shown is the one at the pinned address', () => {
  const line = staleLine({ offset: 4 });
  const [row] = watchedRows({ version: 1, running: false, lines: [line] }, [pin]);
  assert.equal(row.address, hex64(0x40201204));
  assert.equal(child(row, 'L1I core0').description, 'ret · differs · d65f03c0');
});

test('a cache with shorter lines shows each of them, and the word only where it is', () => {
  const [l1i, , , pou, view] = staleLine().copies;
  const halves = [0, 4].map((offset) => ({
    ...{ ...l1i, offset, bytes: l1i.bytes?.slice(offset * 2, offset * 2 + 8) },
    ...{ differs: offset === 0, instructions: [l1i.instructions[offset / 4]] },
  }));
  const line = staleLine({ offset: 4, copies: [...halves, pou, view] });
  const [row] = watchedRows({ version: 1, running: false, lines: [line] }, [pin]);
  assert.equal(child(row, 'L1I core0').description, 'differs');
  assert.equal(child(row, 'L1I core0 +0x4').description, 'ret · d65f03c0');
  assert.deepEqual(child(row, 'L1I core0 +0x4').children?.[0].highlights, [[0, 10]]);
  const bytes = halves.map((copy) => ({ ...copy, instructions: [] }));
  const [shown] = watchedRows({ version: 1, running: false, lines: [{ ...line, copies: [...bytes, view] }] }, [pin]);
  assert.deepEqual(child(shown, 'L1I core0 +0x4').children?.[0].highlights, []);
  assert.match(child(shown, 'L1I core0 +0x4').children?.[0].description ?? '', /^\+0x04 /);
});

test('a line that no I-cache holds shows bytes, with those set off that differ', () => {
  const { copies } = staleLine();
  const data = copies.map((copy) => ({ ...copy, instructions: [] }));
  const [row] = watchedRows({ version: 1, running: false, lines: [staleLine({ copies: data })] }, [pin]);
  const [bytes] = child(row, 'L1I core0').children ?? [];
  assert.equal(bytes.label, '20 00 80 52 c0 03 5f d6');
  assert.deepEqual(bytes.highlights, [[0, 2]]);
  assert.equal(bytes.mark, 'differs');
  assert.equal(child(row, 'PoU').children?.[0].mark, undefined);
  assert.equal(child(row, 'PoU').description, '0x52800040');
});

test('an address that cannot be resolved keeps its row, with the reason', () => {
  const lines = [{ address: 'gone', error: 'no symbol gone' }, staleLine()];
  const pins = [{ address: 'gone', label: 'gone' }, pin];
  const rows = watchedRows({ version: 1, running: false, lines }, pins);
  assert.equal(rows[0].description, 'no symbol gone');
  assert.equal(rows[0].pin, 'gone');
  assert.equal(rows[1].pin, 'patched');
});

test('every row of a tree has an id of its own, the same at the next stop', () => {
  const trees = (version: number): Row[][] => [
    coreRows(cores(version === 1, core(), core({ core: 1 }))),
    idRegisterRows({ ...idRegisters, version }),
    cacheRows({ ...caches(200), version }),
    setRows(page(0, 3, 3, version)),
    watchedRows({ version, running: false, lines: [staleLine({ version })] }, [pin]),
  ];
  const ids = (version: number): string[][] => trees(version).map((rows) => all(rows).map((row) => row.id));
  for (const list of ids(1)) assert.equal(new Set(list).size, list.length);
  assert.deepEqual(ids(1), ids(2));
});

test('every row with children or a mark says its meaning aloud', () => {
  const rows = [
    ...idRegisterRows(idRegisters),
    ...watchedRows({ version: 1, running: false, lines: [staleLine()] }, [pin]),
  ];
  const marked = all(rows).filter((row) => row.mark?.toLowerCase().includes('differs'));
  assert.ok(marked.length > 3);
  for (const row of marked) assert.match(row.spoken ?? '', /differ|not the same|do not agree/, row.id);
});

test('tooltips take no text for Markdown', () => {
  assert.equal(plain('a_b|c<d>'), 'a\\_b\\|c\\<d\\>');
  assert.doesNotMatch(factTable('x', [['a', undefined]]), /\| a \|/);
});

test('a VM shows its vCPUs with core and guest, its memory and stage 2', () => {
  const [vm, policies] = vmRows(vms());
  assert.equal(vm.description, '2 vCPUs · VMID 3');
  const vcpu = child(vm, 'vCPU 0');
  assert.equal(vcpu.description, 'core 2 · EL1 · main+0x10 · pauses · goes to core 5 · pinned to core 5');
  assert.deepEqual(vcpu.vcpu, { vm: 1, vcpu: 0, core: 2 });
  assert.deepEqual(vcpu.context?.split(' '), ['vcpu', 'source', 'value', 'paused', 'pinned']);
  assert.equal(child(vcpu, 'exits').description, '1,201');
  assert.equal(child(child(vcpu, 'exits'), 'SYS64').description, '1,200 · 240,000 cycles');
  assert.equal(child(child(vcpu, 'trapped registers'), 'CTR_EL0').description, '1,200 · 240,000 cycles');
  assert.equal(child(vm, 'vCPU 1').description, 'core 1 · off');
  const slot = child(child(vm, 'memory slots'), 'slot 0');
  assert.equal(slot.description, '0x40000000 → 0x41000000 · 16 MiB · KVM_MEM_READONLY');
  assert.deepEqual([child(vm, 'stage 2').description, child(vm, 'stage 2').stage2], ['3 tables · 40 bits', 1]);
  assert.equal(policies.description, 'KVM of v6.12, 1 changed');
  assert.equal(child(policies, 'fwb').description, 'off · changed');
  assert.equal(child(policies, 'fb').description, 'on · since v4.9');
});

test('the stage-2 tables of a VM by size, type of memory and slot', () => {
  const counts = { readable: 12, writable: 3, executable: 9, young: 11 };
  const rows = stage2Rows({
    ...{ version: 1, running: false, vm: 1, pageBytes: 4096, tables: 3, tableBytes: 3 * 4096 },
    sizes: [
      { level: 2, size: 2 << 20, bytes: 2 << 20, entries: 1, readable: 1, writable: 1, executable: 0, young: 1 },
      { level: 3, size: 4096, bytes: 12 * 4096, entries: 12, ...counts },
    ],
    memory: [{ name: 'NORMAL', bytes: 12 * 4096, entries: 12, ...counts }],
    slots: [{ id: 7, slotBytes: 16 << 20, bytes: 12 * 4096, entries: 12, ...counts, dirty: 1 }],
  });
  assert.deepEqual(
    rows.map(({ label, description }) => `${label}: ${description}`),
    [
      '2096 KiB mapped: 3 tables in 12 KiB',
      '1 block of 2 MiB: level 2 · 1 entry · 1 R, 1 W, 0 X · 1 young',
      '12 pages of 4 KiB: level 3 · 12 entries · 12 R, 3 W, 9 X · 11 young',
      'NORMAL: 48 KiB · 12 entries · 12 R, 3 W, 9 X · 11 young',
      'slot 7: 48 KiB of 16 MiB mapped · 1 dirty page · 12 entries · 12 R, 3 W, 9 X · 11 young',
    ],
  );
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
});

test('a memory slot says what is mapped there, unless it is ordinary memory, and that KVM refused it', () => {
  const view = vms();
  const [slot] = view.vms[0].slots;
  const slots = [slot, { ...slot, id: 1, flags: [], mapping: 'pfnmap, NORMAL', refused: 'EINVAL' }];
  const [vm] = vmRows({ ...view, vms: [{ ...view.vms[0], slots }] });
  const parent = child(vm, 'memory slots');
  const logged = vmRows({ ...view, vms: [{ ...view.vms[0], slots: [{ ...slot, dirty: 3 }] }] });
  assert.match(
    child(child(logged[0], 'memory slots'), 'slot 0').description ?? '',
    / · KVM_MEM_READONLY · 3 dirty pages$/,
  );
  assert.equal(parent.description, '1 · 16 MiB · 1 refused');
  const refused = child(parent, 'slot 1');
  assert.equal(refused.description, 'refused: EINVAL · 0x40000000 → 0x41000000 · 16 MiB · pfnmap, NORMAL');
  assert.equal(refused.icon, 'error');
});

test('without the model there are no VMs; a host without KVM says so', () => {
  assert.deepEqual(vmRows(vms({ model: false })), []);
  assert.equal(vmsText(vms({ started: false, vms: [] })), 'The host has not started KVM (yet).');
  assert.equal(vmsText(vms()), undefined);
  assert.equal(vmRows(vms({ errors: ['vm1/vcpu0: EFAULT: why'] })).at(-1)?.label, 'vm1/vcpu0: EFAULT: why');
  const ids = all(vmRows(vms())).map((row) => row.id);
  assert.equal(new Set(ids).size, ids.length);
});

test('cache ID registers show what the host and its guests see', () => {
  const [ctr, clidr] = idRegisters.rows;
  const view = {
    ...idRegisters,
    rows: [
      { ...ctr, sanitised: hex64(0x84448003), cells: ctr.cells.map((each) => ({ ...each, guest: hex64(0x84448003) })) },
      { ...clidr, cells: clidr.cells.map((each, i) => ({ ...each, guest: hex64(i) })) },
    ],
  };
  const rows = idRegisterRows(view);
  assert.equal(rows[0].description, '2 different values · guests 0x84448003 · host 0x84448003');
  assert.equal(child(rows[0], 'core 0').description, '0x8444c004 · guest 0x84448003 · cortex-a57');
  assert.equal(rows[1].description, '0x0a200023 · guests 2 different values · on all 2 cores');
});

test('findings: the latest first, each with its words, writer and what is missing', () => {
  const inherited = finding({ id: 2, kind: 'inherited line', vcpu: 'vm1/vcpu0', filledBy: 'vm1/vcpu1' });
  const rows = findingRows({ version: 1, running: false, findings: [finding(), inherited] });
  assert.deepEqual(
    rows.map((row) => [row.id, row.label, row.description]),
    [
      ['finding2', 'inherited line', 'answer · core 0 · vm1/vcpu0 · EL1'],
      ['finding1', 'stale fetch', 'answer · core 0 · EL1'],
    ],
  );
  assert.equal(child(rows[0], 'line brought by').description, 'vm1/vcpu1');
  assert.match(rows[0].spoken ?? '', /vm1\/vcpu0 ran .* of a line that vm1\/vcpu1 had brought, where memory holds/);
  assert.equal(child(rows[1], 'ran').description, 'mov w0, #1 (0x52800020)');
  assert.equal(child(rows[1], 'missing').description, 'IC IVAU; DSB ISH');
  assert.deepEqual(rows[1].source, { path: '/guest/patch.S', line: 63 });
  assert.ok(all(rows).every((row) => new Set(all(rows).map((other) => other.id)).size === all(rows).length && row.id));
});

test('a finding about data tells what was read, and no instruction', () => {
  const [row] = findingRows({
    version: 1,
    running: false,
    findings: [finding({ kind: 'lost data', detail: '0x1 was written and is 0x2 again' })],
  });
  assert.equal(child(row, 'what').description, '0x1 was written and is 0x2 again');
  assert.ok(!row.children?.some(({ label }) => label === 'ran'));
  assert.equal(findingsText({ version: 1, running: false, findings: [] }), 'Nothing incoherent has been found.');
});
