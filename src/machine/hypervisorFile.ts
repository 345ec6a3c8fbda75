/** The part of a machine file that gives EL2 to the hypervisor model: a table of fields, and what is read by it. */
import { isPowerOfTwo } from '../base/bits';
import { UserError } from '../base/errors';
import { policiesOf } from '../hypervisor/policies';
import type { ScheduleRow } from '../hypervisor/run/model';
import type { HypervisorSettings, SlotSettings, VcpuSettings, VmSettings } from './config';
import type { FieldTable, Json, Reader } from './fileReader';
import { MAX_CORES } from './presets';
import { MOST_ROWS } from './scheduleFile';

const vcpuFields = {
  core: {
    kind: 'number',
    low: 0,
    high: MAX_CORES - 1,
    doc: 'physical core that it starts on (default: its own number)',
  },
  on: { kind: 'boolean', doc: 'it runs from the start (default: vCPU 0 only, the others by PSCI CPU_ON)' },
  pinned: { kind: 'boolean', doc: 'it stays on that core: `migrate` does not move it (default false)' },
} as const satisfies FieldTable;

const scheduleFields = {
  vcpu: { kind: 'text', doc: 'the vCPU, as vm1/vcpu0' },
  entry: { kind: 'number', low: 1, high: Number.MAX_SAFE_INTEGER, doc: 'which of its guest entries, counted from 1' },
  core: { kind: 'number', low: 0, high: MAX_CORES - 1, doc: 'the core that it enters its guest on, that time' },
} as const satisfies FieldTable;

const hostMemory = ['NORMAL', 'NORMAL_NC', 'DEVICE_nGnRnE', 'DEVICE_nGnRE'] as const;

const slotFields = {
  at: { kind: 'size', doc: 'guest physical address' },
  size: { kind: 'size', doc: 'bytes' },
  kind: {
    kind: 'choice',
    choices: ['ordinary', 'pfnmap', 'mixedmap'],
    doc: 'what maps it in user space: ordinary memory (default), or pages without struct page, as of a device',
  },
  memory: {
    kind: 'choice',
    choices: hostMemory,
    doc: 'attributes of that mapping (default NORMAL)',
  },
  remap: {
    kind: 'choice',
    choices: hostMemory,
    doc: 'what user space maps there instead when KVM_EXIT_MEMORY_FAULT tells it of a fault (default: it gives up)',
  },
  anyUncached: { kind: 'boolean', doc: 'VM_ALLOW_ANY_UNCACHED' },
  mapSize: { kind: 'size', doc: 'largest block that the host maps it by (default 2M)' },
} as const satisfies FieldTable;

const vmFields = {
  memory: { kind: 'size', doc: 'RAM of the guest, from 0x40000000 on (default: half of the machine’s)' },
  mapSize: { kind: 'size', doc: 'largest block that the host maps that RAM by (default 2M)' },
  vcpus: { kind: 'list', fields: vcpuFields, least: 1, most: MAX_CORES, doc: 'its vCPUs (default: one for each core)' },
  ipaBits: {
    kind: 'number',
    low: 1,
    high: 255,
    doc: 'bits of guest physical addresses that user space asks KVM_CREATE_VM for, 32 up to the host’s limit (default 40)',
  },
  cacheablePfnmap: {
    kind: 'boolean',
    doc: 'user space enables cacheable PFNMAP mappings first, as the policy cacheablePfnmap=buyIn wants it (default false)',
  },
  slots: { kind: 'list', fields: slotFields, most: 8, doc: 'further memory slots' },
} as const satisfies FieldTable;

export const hypervisorFields = {
  kvm: {
    kind: 'text',
    doc: 'kernel release whose KVM is modelled, such as "6.12" (default: the newest that is known)',
  },
  policies: {
    kind: 'texts',
    doc: 'single policies that are different from that release’s, as {"ccsidr": "host"}; elscope policies lists them',
  },
  page: { kind: 'choice', choices: ['4096', '16384', '65536'], doc: 'bytes of a page of the host (default 4096)' },
  bootCores: {
    kind: 'number',
    low: 1,
    high: MAX_CORES,
    doc: 'cores that boot with the host; the others come online late',
  },
  slice: {
    kind: 'number',
    low: 1e3,
    high: 1e12,
    doc: 'cycles after which a vCPU gives way to others (default: it need not)',
  },
  schedule: {
    kind: 'list',
    fields: scheduleFields,
    most: MOST_ROWS,
    doc: 'moves of vCPUs between cores, each before a guest entry; a file with them may be given instead (--schedule)',
  },
  migrate: { kind: 'boolean', doc: 'each time that it gives way, a vCPU goes on on a core chosen by the seed' },
  vms: {
    kind: 'list',
    fields: vmFields,
    least: 1,
    most: 4,
    doc: 'virtual machines, each running the program (default: one)',
  },
} as const satisfies FieldTable;

/** Reads the object. @throws UserError machine.field, kvm.version, policy.* */
export function readHypervisor(reader: Reader, value: unknown): HypervisorSettings {
  const field = 'hypervisor';
  const from = reader.object(value, field, hypervisorFields);
  const kvm = from.kvm === undefined ? undefined : reader.text(from.kvm, `${field}.kvm`);
  const policies = from.policies === undefined ? {} : reader.texts(from.policies, `${field}.policies`);
  try {
    policiesOf(kvm, policies);
  } catch (error) {
    if (error instanceof UserError) reader.fail(field, error.message);
    throw error;
  }
  return {
    kvm,
    policies,
    pageBytes: Number(reader.simple<string | number>(from, 'page', hypervisorFields, field, 4096)) as 4096,
    bootCores: reader.simple(from, 'bootCores', hypervisorFields, field, undefined),
    slice: reader.simple(from, 'slice', hypervisorFields, field, undefined),
    schedule:
      from.schedule === undefined
        ? undefined
        : reader.list(hypervisorFields.schedule, from.schedule, `${field}.schedule`, readScheduleRow(reader)),
    migrate: reader.simple(from, 'migrate', hypervisorFields, field, false),
    vms: from.vms === undefined ? [{}] : reader.list(hypervisorFields.vms, from.vms, `${field}.vms`, readVm(reader)),
  };
}

const readScheduleRow =
  (reader: Reader) =>
  (value: unknown, field: string): ScheduleRow => {
    const from = reader.object(value, field, scheduleFields);
    for (const name of Object.keys(scheduleFields))
      if (from[name] === undefined) reader.fail(`${field}.${name}`, 'it is missing');
    return {
      vcpu: reader.text(from.vcpu, `${field}.vcpu`),
      entry: reader.simple(from, 'entry', scheduleFields, field, 1),
      core: reader.simple(from, 'core', scheduleFields, field, 0),
    };
  };

const readVm =
  (reader: Reader) =>
  (value: unknown, field: string): VmSettings => {
    const from = reader.object(value, field, vmFields);
    return {
      memoryBytes: optionalSize(reader, from, 'memory', field),
      mapBytes: blockSize(reader, from, field),
      ipaBits: reader.simple(from, 'ipaBits', vmFields, field, undefined),
      cacheablePfnmap: reader.simple(from, 'cacheablePfnmap', vmFields, field, false),
      vcpus:
        from.vcpus === undefined
          ? undefined
          : reader.list(vmFields.vcpus, from.vcpus, `${field}.vcpus`, (inner, at): VcpuSettings => {
              const vcpu = reader.object(inner, at, vcpuFields);
              return {
                core: reader.simple(vcpu, 'core', vcpuFields, at, undefined),
                on: reader.simple(vcpu, 'on', vcpuFields, at, undefined),
                pinned: reader.simple(vcpu, 'pinned', vcpuFields, at, undefined),
              };
            }),
      slots:
        from.slots === undefined ? [] : reader.list(vmFields.slots, from.slots, `${field}.slots`, readSlot(reader)),
    };
  };

const readSlot =
  (reader: Reader) =>
  (value: unknown, field: string): SlotSettings => {
    const from = reader.object(value, field, slotFields);
    for (const name of ['at', 'size']) if (from[name] === undefined) reader.fail(`${field}.${name}`, 'it is missing');
    return {
      guestAddress: reader.bytes(from.at, `${field}.at`),
      bytes: reader.bytes(from.size, `${field}.size`),
      mapBytes: blockSize(reader, from, field),
      vma: {
        kind: reader.simple(from, 'kind', slotFields, field, 'ordinary'),
        memory: reader.simple(from, 'memory', slotFields, field, 'NORMAL'),
        anyUncached: reader.simple(from, 'anyUncached', slotFields, field, false),
      },
      remap: reader.simple(from, 'remap', slotFields, field, undefined),
    };
  };

const optionalSize = (reader: Reader, from: Json, name: string, field: string): number | undefined =>
  from[name] === undefined ? undefined : reader.bytes(from[name], `${field}.${name}`);

const [SMALLEST_BLOCK, LARGEST_BLOCK] = [2 ** 12, 2 ** 30];

/** What a block covers: memory is aligned to it. */
function blockSize(reader: Reader, from: Json, field: string): number | undefined {
  const bytes = optionalSize(reader, from, 'mapSize', field);
  const isOne = bytes === undefined || (isPowerOfTwo(bytes) && bytes >= SMALLEST_BLOCK && bytes <= LARGEST_BLOCK);
  return isOne ? bytes : reader.fail(`${field}.mapSize`, 'it must be a power of two from "4K" to "1G"');
}
