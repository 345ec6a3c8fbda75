/** The physical timer of guests, which the host has for itself: each vCPU has one of its own, and its interrupt comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtMap, virtPpi } from '../../../../src/devices/virtBoard';
import { VendorCall } from '../../../../src/hypervisor/run/exits';
import { call, code, run, script } from './scriptGuest';

const AT = 0x4010_0000;
const RET = 0xd65f_03c0;
const one = { vms: [{ memory: '8M', vcpus: [{ core: 0 }] }] };

/** GICD_CTLR, GICD_ISENABLER0. */
const enable = [
  ...code(AT + 0x800, [0xb900_0041, RET]),
  run(AT + 0x800, 1, virtMap.gicDistributor.base),
  run(AT + 0x800, 1 << (16 + virtPpi.physicalTimer), virtMap.gicDistributor.base + 0x100),
];

test('it wakes a vCPU that waits, and says so', () => {
  // CNTP_CVAL = now + 100, enabled; WFI; CNTP_CTL into X0; off.
  const waits = [
    0xd53b_e022, 0x9101_9042, 0xd51b_e242, 0xd280_0023, 0xd51b_e223, 0xd503_207f, 0xd53b_e220, 0xd51b_e23f,
  ];
  const s = script(one, [...enable, ...code(AT, [...waits, RET]), run(AT)]);
  assert.equal(s.finish().reason, 'exited');
  assert.equal(s.results().at(-1)?.x0, 5n);
});

test('a vCPU does not find what another one has put there', () => {
  const vms = [{ memory: '8M', vcpus: [{ core: 0 }, { core: 0 }] }];
  // CNTP_CVAL = X1; and into X0.
  const set = code(AT, [0xd51b_e241, RET]);
  const get = code(AT + 0x100, [0xd53b_e240, RET]);
  const yields = Array.from({ length: 20 }, () => call(VendorCall.YIELD));
  const first = [...set, ...get, run(AT, 0x1234), ...yields, run(AT + 0x100)];
  const s = script({ vms }, first, [...set, run(AT, 0x5678)]);
  s.finish();
  assert.equal(s.results().at(-1)?.x0, 0x1234n);
});

test('CNTP_TVAL is a distance of 32 bits with a sign', () => {
  // CNTP_TVAL = -5; and back, sign-extended.
  const s = script(one, [...code(AT, [0x1280_0082, 0xd51b_e202, 0xd53b_e200, 0x9340_7c00, RET]), run(AT)]);
  s.finish();
  const back = BigInt.asIntN(64, s.results().at(-1)?.x0 ?? 0n);
  assert.ok(back <= -5n && back > -1000n, `${back}`);
});
