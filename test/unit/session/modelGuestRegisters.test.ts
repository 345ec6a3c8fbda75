/** A guest's registers, changed from the debugger while the hypervisor model has its core: at every step, the guest goes on with them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ModelBench } from './modelBench';

const GENERAL = '0x00000000deadbeef';
const SYSTEM = '0x0000000012345678';
const VECTOR = '0x0000000000000000000000000badcafe';
const changes: readonly [expression: string, value: string][] = [
  ['x17', GENERAL],
  ['v9', VECTOR],
  ['TPIDR_EL0', SYSTEM],
];

/** Steps of the model around one trip through EL2; the vCPU is loaded, or about to leave the core. */
const places: readonly string[] = [
  '__kvm_vcpu_run: save general registers',
  '__kvm_vcpu_run: deactivate traps',
  'handle_exit: decode ESR_EL2',
  'kvm_handle_sys_reg: skip the instruction',
  'kvm_arch_vcpu_ioctl_run: go back, or give the core away',
  '__kvm_vcpu_run: activate traps',
  '__kvm_vcpu_run: restore general registers',
  '__kvm_vcpu_run: ERET to the guest',
  'kvm_arch_vcpu_put: save SIMD and FP registers',
  'kvm_arch_vcpu_put: save EL1 registers',
  'kvm_arch_vcpu_put: put the timer',
  'kvm_arch_vcpu_load: compare last_vcpu_ran',
  'kvm_arch_vcpu_load: restore pointer authentication keys',
  'kvm_arch_vcpu_load: restore SIMD and FP registers',
];

const ERET = { name: '__kvm_vcpu_run: ERET to the guest', condition: '$vcpu == "vm1/vcpu0"' };

/** Stopped at a step of the second trip: the guest has run before. It may go on on another core. */
function at(place: string): { b: ModelBench; thread: number } {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'kvm_handle_sys_reg', condition: '$trap == CCSIDR_EL1' });
  b.start();
  b.breakAt({ ...ERET, name: place });
  const { threadId: thread = 0 } = b.go('continue');
  assert.equal(b.names(thread)[0], place);
  b.breakAt();
  return { b, thread };
}

/** The guest's own frame: the one behind the boundary. */
function guestOf(b: ModelBench, thread: number): number {
  const frames = b.frames(thread);
  return frames[frames.findIndex((frame) => frame.name.startsWith('vm1/vcpu0')) + 1].id;
}

/** Runs until the vCPU is in its guest; its frame there. */
function enter(b: ModelBench, thread: number): number {
  let on = thread;
  if (b.names(thread)[0] !== ERET.name) {
    b.breakAt(ERET);
    on = b.go('continue', { threadId: thread }).threadId ?? 0;
    b.breakAt();
  }
  b.stepTo('guestEntry', on);
  const [{ id }] = b.frames(on);
  assert.equal(b.value('$vcpu', id), '"vm1/vcpu0"');
  return id;
}

describe('what is written to a guest’s frame', () => {
  for (const place of places)
    test(place, () => {
      const { b, thread } = at(place);
      for (const [expression, value] of changes) {
        b.ask('setExpression', { expression, value, frameId: guestOf(b, thread) });
        assert.equal(b.value(expression, guestOf(b, thread)), value, `${expression} as it is shown`);
      }
      const guest = enter(b, thread);
      for (const [expression, value] of changes) assert.equal(b.value(expression, guest), value, expression);
    });

  test('its PC is where it goes on', () => {
    const { b, thread } = at('kvm_arch_vcpu_ioctl_run: go back, or give the core away');
    const pc = (frameId: number): bigint => BigInt(b.value('pc', frameId).split(' ')[0]);
    const next = pc(guestOf(b, thread)) + 8n;
    b.ask('setExpression', { expression: 'pc', value: `0x${next.toString(16)}`, frameId: guestOf(b, thread) });
    assert.equal(pc(enter(b, thread)), next);
  });
});
