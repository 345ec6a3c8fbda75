/** The EL2 virtual timer of FEAT_VHE reaches the interrupt controller: private peripheral interrupt 12. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtPpi } from '../../../src/devices/virtBoard';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const CODE = 0x4000_0000;
const TICKS = 200;
const INTERRUPT = 16 + virtPpi.hostVirtualTimer;

const program: readonly number[] = [
  0xd2a10001, // mov x1, #0x8000000 (GICD)
  0xd2a10022, // mov x2, #0x8010000 (GICC)
  0x52800020, // mov w0, #1
  0xb9000020, // str w0, [x1] (GICD_CTLR)
  0x52a20000, // mov w0, #0x10000000
  0xb9010020, // str w0, [x1, #0x100] (GICD_ISENABLER0)
  0x52801fe0, // mov w0, #0xff
  0xb9000440, // str w0, [x2, #4] (GICC_PMR)
  0x52800020, // mov w0, #1
  0xb9000040, // str w0, [x2] (GICC_CTLR)
  0xd2800200, // mov x0, #0x10 (IMO)
  0xb25e0000, // orr x0, x0, #0x400000000 (E2H)
  0xd51c1100, // msr hcr_el2, x0
  0xd5033fdf, // isb
  0xd2800000 | (TICKS << 5), // mov x0, #TICKS
  0xd51ce300, // msr cnthv_tval_el2, x0
  0xd2800020, // mov x0, #1
  0xd51ce320, // msr cnthv_ctl_el2, x0
  0xd503207f, // wfi
  0xb9400c54, // ldr w20, [x2, #12] (GICC_IAR)
  0xd53ce335, // mrs x21, cnthv_ctl_el2
  0x14000000, // b .
];

test('WFI waits for it, and it is acknowledged by its number', () => {
  const config = { ...presetConfig('max', 1), memoryBytes: 2 ** 24, highestEl: 2 as const };
  const machine = new ElscopeMachine(config, nodePorts().wasm, {
    load: (m) => {
      m.memory.pokeView(CODE, new Uint8Array(Uint32Array.from(program).buffer));
      return { entry: CODE, x0: 0 };
    },
  });
  machine.run(100);
  const [unit] = machine.units;
  assert.equal(unit.x(20), BigInt(INTERRUPT));
  assert.equal(unit.x(21), 5n, 'ENABLE and ISTATUS');
  assert.ok((unit.peekSystem('CNTPCT_EL0') ?? 0n) >= BigInt(TICKS));
});
