/**
 * A virtual machine as a file, JSON: what its VMM reads by KVM's calls, so that it goes on in another machine, under another
 * release or on other cores, as far as KVM there takes it. A file is untrusted: everything is checked for form and bounds before
 * anything is made of it; what the values mean is for KVM to judge.
 *
 *   slots      memory slots that it needs: guest address, bytes
 *   memory     their contents, in pieces of at most 64 KiB, each [guest address, base64]; zeroes are left out
 *   vcpus      state (KVM_GET_MP_STATE); registers, each [name, one-reg id, value], in the order of KVM_GET_REG_LIST;
 *              interface: the virtual CPU interface with its list registers
 *   waiting    by vCPU: an interrupt waits for a list register
 *   devices    state of the VMM's UART, and of the interrupt controller's frames
 */
import { fromBase64, toBase64 } from '../base/base64';
import { UserError } from '../base/errors';
import { decodeUtf8 } from '../base/utf8';
import { oneRegBits } from '../hypervisor/kvmApi';
import { type GuestState, type GuestVcpu, inMidstOf, saveGuest } from '../hypervisor/run/guestState';
import { oneRegName } from '../hypervisor/run/oneReg';
import { UserSpace } from '../hypervisor/run/userSpace';
import { LIST_REGISTERS, type VgicCpu } from '../hypervisor/run/vgic';
import { VgicV2 } from '../hypervisor/run/vgicV2';
import { VgicV3 } from '../hypervisor/run/vgicV3';
import type { Machine } from './api';

const FORMAT = 'elscope virtual machine';
const VERSION = 1;
const PIECE = 0x1_0000;
const MiB = 2 ** 20;
/** Contents of memory that a file may have. */
const MOST_MEMORY = 256 * MiB;
const MOST_FILE = 400 * MiB;
const MOST = { vcpus: 8, registers: 2000, slots: 64, pieces: 2 ** 16, queue: 4096 } as const;

export interface VmSlot {
  readonly guestAddress: number;
  readonly bytes: number;
}

export interface VmFile {
  readonly slots: readonly VmSlot[];
  readonly memory: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly guest: GuestState;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** The file's text. Looks only. @throws UserError vm.none, vm.busy, vm.large */
export function writeVm(machine: Machine, id: number): string {
  const vms = machine.hypervisor?.vms ?? [];
  const vm = vms.find((other) => other.id === id);
  if (machine.hypervisor === undefined || vm === undefined) throw new UserError('vm.none', { vm: id });
  const busy = inMidstOf(machine.hypervisor, vm);
  if (busy !== undefined) throw new UserError('vm.busy', { ...busy });
  const memory: [string, string][] = [];
  for (const { guestAddress, hostAddress, bytes } of vm.slots)
    for (let at = 0; at < bytes; at += PIECE) {
      const piece = machine.peek(0, 'pa', BigInt(hostAddress + at), Math.min(PIECE, bytes - at));
      if (piece.some((byte) => byte !== 0)) memory.push([hex(guestAddress + at), toBase64(piece)]);
      if (memory.length * PIECE > MOST_MEMORY) throw new UserError('vm.large', { vm: id, limit: MOST_MEMORY / MiB });
    }
  const guest = saveGuest(machine.hypervisor, vm);
  const vcpus = guest.vcpus.map(({ mpState, registers, interface: own }) => [
    ['mpState', JSON.stringify(mpState)],
    ['registers', rows(registers.map(([reg, value]) => [oneRegName(reg), hex(reg), hex(value)]))],
    ...(own === undefined ? [] : [['interface', JSON.stringify({ ...own, lists: own.lists.map(hex) })]]),
  ]);
  return `${members([
    ['format', JSON.stringify(FORMAT)],
    ['version', `${VERSION}`],
    ['slots', rows(vm.slots.map((slot) => ({ guestAddress: hex(slot.guestAddress), bytes: slot.bytes })))],
    ['vcpus', `[${vcpus.map(members).join(', ')}]`],
    ['waiting', JSON.stringify(guest.waiting)],
    ['devices', rows(guest.devices)],
    ['memory', rows(memory)],
  ])}\n`;
}

/** JSON with a line for each item, and for each member: a register on one line can be found and compared. */
const rows = (items: readonly unknown[]): string => `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
const members = (list: readonly (readonly string[])[]): string =>
  `{\n${list.map(([name, value]) => `"${name}": ${value}`).join(',\n')}\n}`;

type Json = Readonly<Record<string, unknown>>;

class VmReader {
  constructor(private readonly path: string) {}

  fail(what: string): never {
    throw new UserError('vm.damaged', { path: this.path, what });
  }

  object(value: unknown, what: string): Json {
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Json)
      : this.fail(`${what} is no object`);
  }

  list(value: unknown, what: string, most: number): readonly unknown[] {
    if (!Array.isArray(value)) return this.fail(`${what} is no list`);
    return value.length <= most ? (value as unknown[]) : this.fail(`${what} has more than ${most} items`);
  }

  /** A number of at most so many bits, as text in hexadecimal. */
  number(value: unknown, what: string, bits: number): bigint {
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,32}$/.test(value)) return this.fail(`${what} is no number`);
    const number = BigInt(value);
    return number >> BigInt(bits) === 0n ? number : this.fail(`${what} has more than ${bits} bits`);
  }

  word(value: unknown, what: string): number {
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
      ? value
      : this.fail(`${what} is no number of 32 bits`);
  }

  slot(value: unknown): VmSlot {
    const { guestAddress, bytes } = this.object(value, 'a slot');
    return {
      guestAddress: Number(this.number(guestAddress, 'the address of a slot', 48)),
      bytes: this.word(bytes, 'the size of a slot'),
    };
  }

  piece(value: unknown, slots: readonly VmSlot[]): VmFile['memory'][number] {
    const [address, data] = this.list(value, 'a piece of memory', 2);
    const at = Number(this.number(address, 'the address of a piece of memory', 48));
    if (typeof data !== 'string' || data.length > PIECE * 1.5)
      return this.fail(`the memory at ${hex(at)} is no base64`);
    const bytes = fromBase64(data) ?? this.fail(`the memory at ${hex(at)} is no base64`);
    const isInside = slots.some(
      (slot) => at >= slot.guestAddress && at + bytes.length <= slot.guestAddress + slot.bytes,
    );
    return isInside ? { at, bytes } : this.fail(`the memory at ${hex(at)} is in no slot`);
  }

  vcpu(value: unknown): GuestVcpu {
    const { mpState, registers, interface: own } = this.object(value, 'a vCPU');
    if (mpState !== 'KVM_MP_STATE_RUNNABLE' && mpState !== 'KVM_MP_STATE_STOPPED')
      return this.fail('the state of a vCPU is not known');
    return {
      mpState,
      registers: this.list(registers, 'the registers of a vCPU', MOST.registers).map((row) => {
        const [, id, content] = this.list(row, 'a register', 3);
        const reg = this.number(id, 'the id of a register', 64);
        return [reg, this.number(content, `the value of ${oneRegName(reg)}`, Math.min(128, oneRegBits(reg)))] as const;
      }),
      interface: own === undefined ? undefined : this.interface(own),
    };
  }

  private interface(value: unknown): VgicCpu {
    const { vmcr, apr, apr0, lists } = this.object(value, 'the interface of a vCPU');
    return {
      vmcr: this.word(vmcr, 'VMCR'),
      apr: this.word(apr, 'APR'),
      apr0: this.word(apr0, 'AP0R'),
      lists: this.list(lists, 'the list registers', LIST_REGISTERS).map((list) =>
        this.number(list, 'a list register', 64),
      ),
    };
  }
}

/** A file's contents. @throws UserError vm.damaged */
export function readVm(file: Uint8Array, path: string): VmFile {
  const reader = new VmReader(path);
  if (file.length > MOST_FILE) reader.fail(`it has more than ${MOST_FILE / MiB} MiB`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeUtf8(file));
  } catch {
    reader.fail('it is no JSON');
  }
  const { format, version, slots, memory, vcpus, waiting, devices } = reader.object(parsed, 'it');
  if (format !== FORMAT) reader.fail(`its format is not "${FORMAT}"`);
  if (version !== VERSION) reader.fail(`it has version ${String(version).slice(0, 20)}, and ${VERSION} is known`);
  const places = reader.list(slots, 'slots', MOST.slots).map((slot) => reader.slot(slot));
  const pieces = reader.list(memory, 'memory', MOST.pieces).map((piece) => reader.piece(piece, places));
  const wait = reader.list(waiting, 'waiting', MOST.vcpus);
  if (wait.some((item) => typeof item !== 'boolean')) reader.fail('"waiting" says no truth values');
  return {
    slots: places,
    memory: pieces,
    guest: {
      vcpus: reader.list(vcpus, 'vcpus', MOST.vcpus).map((vcpu) => reader.vcpu(vcpu)),
      waiting: wait as boolean[],
      devices: reader.list(devices, 'devices', MOST.slots),
    },
  };
}

/** A value has the form that a device gave: names, types and lengths. Lists that are empty there are of bytes. */
function hasForm(form: unknown, value: unknown): boolean {
  if (Array.isArray(form)) {
    if (!Array.isArray(value)) return false;
    if (form.length > 0) return value.length === form.length && form.every((item, n) => hasForm(item, value[n]));
    return value.length <= MOST.queue && value.every((item) => Number.isInteger(item) && item >= 0 && item < 256);
  }
  if (typeof form !== 'object' || form === null) {
    if (typeof form !== typeof value) return false;
    return (
      form === value || typeof form !== 'number' || (Number.isInteger(value) && Math.abs(value as number) < 2 ** 32)
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const names = Object.keys(form);
  if (Object.keys(value).length !== names.length) return false;
  return names.every((name) => Object.hasOwn(value, name) && hasForm((form as Json)[name], (value as Json)[name]));
}

/** What devices of a VM that was just made hold. */
function freshDevices(gic: 2 | 3, vcpus: number): unknown[] {
  const silent = (): void => {};
  const userSpace = new UserSpace(silent, silent, silent);
  const vm = { id: 1, vgic: new (gic === 3 ? VgicV3 : VgicV2)(vcpus, () => {}) };
  userSpace.attach(vm);
  return userSpace.devicesOf(vm).map((device) => device.save());
}

/** The VM of a file has a place in a machine; its list registers as the controller has them. @throws UserError vm.other, vm.damaged */
export function fitted(
  { slots, guest, memory }: VmFile,
  path: string,
  to: { readonly slots: readonly VmSlot[]; readonly vcpus: number; readonly gic: 2 | 3 },
): VmFile {
  const other = (what: string): never => {
    throw new UserError('vm.other', { path, what });
  };
  if (guest.vcpus.length !== to.vcpus) other(`it has ${guest.vcpus.length} vCPUs, and the machine's has ${to.vcpus}`);
  for (const { guestAddress, bytes } of slots)
    if (!to.slots.some((slot) => slot.guestAddress === guestAddress && slot.bytes === bytes))
      other(`it has a slot of ${bytes} bytes at ${hex(guestAddress)}, and the machine's has none`);
  const devices = freshDevices(to.gic, to.vcpus);
  const frames = devices.length - 1;
  if (guest.devices.length !== devices.length)
    other(`it has ${guest.devices.length - 1} frames of an interrupt controller, and the machine's has ${frames}`);
  if (!hasForm(devices, guest.devices)) other(`its devices are not a PL011 and a GICv${to.gic}`);
  const reader = new VmReader(path);
  if (guest.waiting.length !== to.vcpus) reader.fail('"waiting" does not have its vCPUs');
  const vcpus = guest.vcpus.map(({ interface: own, ...rest }): GuestVcpu => {
    if (own?.lists.length !== LIST_REGISTERS) return reader.fail('a vCPU lacks its list registers');
    if (to.gic === 2 && own.lists.some((list) => BigInt(list) >> 32n !== 0n))
      reader.fail('a list register is too long');
    return { ...rest, interface: { ...own, lists: to.gic === 3 ? own.lists : own.lists.map(Number) } };
  });
  return { slots, memory, guest: { ...guest, vcpus } };
}
