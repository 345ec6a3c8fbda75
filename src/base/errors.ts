/**
 * The one table of errors that a user can cause. Each row: a stable code, one clear line saying what is wrong, and what to
 * do about it. Guest faults are values and never come here; our own bugs throw through `bug()`.
 */

const rows = {
  'image.missing': ['cannot read the {what} "{path}"', '{why}'],
  'launch.folder': ['the folder for {what}, "{path}", is not there', 'check the path'],
  'image.empty': ['the image "{path}" is empty', 'give an ELF64, a raw binary or an arm64 Image'],
  'elf.notElf': ['"{path}" is not an ELF file', 'give an ELF64 file for AArch64'],
  'elf.class': [
    '"{path}" is a 32-bit ELF file',
    'only ELF64 for AArch64 runs here: build it for aarch64 (not arm, not ilp32)',
  ],
  'elf.endian': ['"{path}" is a big-endian ELF file', 'build it little-endian'],
  'elf.machine': ['"{path}" is an ELF file for another machine (e_machine {machine})', 'build it for AArch64 (183)'],
  'elf.notLinked': ['"{path}" is not a linked program (e_type {type})', 'link it first: object files cannot be loaded'],
  'elf.truncated': ['"{path}" is cut off: {what} lie outside of the file', 'copy or build the file again'],
  'elf.malformed': ['"{path}" is not a valid ELF file: {what}', 'build the file again'],
  'elf.nothingToLoad': ['"{path}" has no segment to load', 'give the linked program, not a file of debug symbols'],
  'elf.oversized': ['{what} of "{path}" asks for {size} bytes of memory', 'check the linker script; 3 GiB is the most'],
  'elf.address': [
    '"{path}" wants to be at {address}, beyond the 48-bit physical address space',
    'check the load addresses (AT in the linker script)',
  ],
  'elf.overlap': [
    'two segments of "{path}" overlap in physical memory: those at {a} and {b}',
    'check the load addresses (AT in the linker script)',
  ],
  'image.gzip': ['cannot decompress "{path}": {what}', 'copy or build the file again'],
  'image.oversized': ['"{path}" is larger than {limit} bytes', 'give a smaller image'],
  'image.zboot': ['"{path}" is an EFI zboot image compressed with {method}', 'give the uncompressed Image'],
  'image.bigEndian': ['"{path}" is a big-endian arm64 Image', 'build it little-endian'],
  'image.outside': [
    'a part of "{path}" wants to be at {from} to {to}, where there is no memory',
    'RAM is from 0x40000000 to {ramEnd}: link it for there, or give the machine more memory',
  ],
  'image.doesNotFit': ['{what} does not fit in {size} bytes of RAM', 'give the machine more memory'],
  'guest.download': ['cannot get the package {package} of {release}', '{reason}'],
  'tool.missing': ['the program "{command}" is missing', 'install the Debian package {package}'],
  'cli.command': ['unknown command "{command}"', 'see elscope --help'],
  'cli.option': ['unknown option {option}', 'see elscope --help'],
  'cli.value': ['{option} needs a value ({value})', 'give one'],
  'cli.switch': ['{option} takes no value', 'leave it out'],
  'cli.twice': ['{option} is given twice', 'give it once'],
  'cli.number': ['{option} {text} is not a whole number from {low} to {high}', 'give one'],
  'cli.choice': ['{option} {text} is not known', 'one of {choices}'],
  'cli.pairs': ['--expect and --send come in pairs', 'give each --expect one --send right after it'],
  'cli.noImage': ['nothing to run', 'give an ELF, --bios FILE or --kernel FILE'],
  'cli.twoImages': [
    'more than one program is given',
    'give one of: an image, --bios, --kernel; --kernel beside --bios is for the firmware to boot',
  ],
  'cli.operand': ['unexpected argument "{text}"', 'see elscope --help'],
  'cli.explainValue': ['"{text}" is no value of 64 bits', 'give REGISTER=NUMBER, such as CTR_EL0=0x8444c004'],
  'cli.explain': ['nothing is known of "{text}"', 'give an instruction word, a register name or an ESR value'],
  'cli.write': ['cannot write "{path}"', 'check the path'],
  'machine.unknown': [
    'there is no machine preset or file "{name}"',
    'presets are {presets}; a machine file is JSON with a path',
  ],
  'machine.syntax': ['the machine file "{path}" is not valid JSON at line {line}', '{what}'],
  'machine.field': ['the machine file "{path}" has a bad {field}', '{what}'],
  'machine.notObject': ['the machine file "{path}" holds no object', 'write it as { "preset": … }'],
  'hypervisor.memory': ['the virtual machines need {size} of RAM', 'give the machine more memory, or the guests less'],
  'hypervisor.core': ['a vCPU is to start on core {core} of {cores}', 'cores are numbered from 0'],
  'hypervisor.bootCores': [
    '{boot} cores are to boot with the host, and there are {cores}',
    'give fewer as "bootCores"',
  ],
  'hypervisor.el': ['a host with KVM has EL2, so that EL{el} cannot be the highest level', 'leave it out'],
  'hypervisor.granule': [
    'core {core} has no pages of 16 KB, which the host is to use',
    'give it FEAT_TGran16K, or the host another page',
  ],
  'hypervisor.kind': [
    'a {kind} cannot be the guest of the hypervisor model',
    'give it an ELF, a raw image or a kernel',
  ],
  'scenario.unknown': ['there is no scenario "{name}"', 'one of {choices}'],
  'scenario.variant': ['the scenario {scenario} has no variant "{name}"', 'one of {choices}'],
  'scenario.noModel': ['the scenario {name} has no hypervisor model', 'its machine file needs a "hypervisor"'],
  'scenario.files': ['the files of the scenarios are not there', 'they are in media/samples of the extension'],
  'machine.cpus': ['{cpus} cores are asked for', 'give 1 to {limit}'],
  'machine.memory': ['a memory size of {size} is not possible', 'give 16M to 3G, in whole MiB, such as 512M or 1G'],
  'machine.tooBig': [
    'the machine needs {size} MiB for its memory and caches, and more than 4096 are not possible',
    'give it less memory, smaller caches or longer lines',
  ],
  'machine.noRoom': ['this computer does not give the machine the {size} MiB that it needs', 'give it less memory'],
  'machine.gic': ['GIC version {version} is not possible here', 'give 2 or 3'],
  'machine.el': ['exception level {el} is not possible here', 'give 1, 2 or 3'],
  'kvm.version': ['"{version}" is no kernel release that is known here', 'give one from {oldest} on, such as v6.12'],
  'policy.unknown': ['there is no policy "{name}"', 'one of {choices}'],
  'policy.value': ['the policy {name} cannot be "{value}"', 'one of {choices}'],
  'policy.needs': ['the policy {name}={value} needs {other}', 'set {other} to {choices}'],
  'virtio.disk': ['"{path}" is no disk image', 'give a raw image: a file that is not empty'],
  'virtio.write': ['the disk image "{path}" cannot be opened for writing', 'check its path and permissions'],
  'virtio.folder': ['there is no folder "{path}" to share', 'check the path'],
  'virtio.tooMany': ['{count} virtio devices are asked for', 'there are {limit} slots'],
  'snapshot.none': ['"{path}" is no snapshot', 'make one with --save'],
  'snapshot.version': ['the snapshot "{path}" has format {version}, and {known} is known', 'make it again'],
  'snapshot.damaged': ['the snapshot "{path}" is damaged: {what}', 'make it again'],
  'snapshot.other': [
    'the snapshot "{path}" is of another machine',
    'give the options that it was made with, and the same version of elscope',
  ],
  'schedule.line': ['line {line} of the schedule "{path}" says nothing: {what}', 'as in "100 vm1/vcpu0 3"'],
  'schedule.row': ['the move "{row}" cannot be: {what}', 'change the schedule or the machine file'],
  'vm.none': ['there is no virtual machine {vm}', 'only the hypervisor model has some, once its host has started KVM'],
  'vm.noModel': ['{what} needs a host with KVM', 'give kvm, or a machine file with "hypervisor"'],
  'vm.busy': [
    '{vcpu} is in the midst of an exit ({routine}), and has no registers to go on from',
    'run to the next guest entry',
  ],
  'vm.large': [
    'virtual machine {vm} has more than {limit} MiB in its memory',
    'save the whole machine instead (--save)',
  ],
  'vm.damaged': ['"{path}" is no saved virtual machine: {what}', 'make one with --save-vm'],
  'vm.other': [
    'the virtual machine of "{path}" does not fit in this machine: {what}',
    'the machine file has to give its first one the same slots, vCPUs and interrupt controller',
  ],
  'dtb.malformed': ['the device tree "{path}" is not valid: {what}', 'make it with dtc'],
  'dtb.oversized': ['the device tree "{path}" is larger than {limit} bytes', 'make it smaller'],
  'attribute.unknown': ['there is no launch attribute "{name}"', '{hint}'],
  'attribute.value': ['the launch attribute "{name}" cannot be {value}', 'give {what}'],
  'attribute.folder': ['the launch attribute "{name}" names no folder: {path}', 'check the path'],
  'attribute.noProgram': ['nothing to run: the launch attribute "program" is missing', 'give program, kernel or bios'],
  'attribute.twoPrograms': ['the launch attributes {names} are both given', 'give one of program, kernel and bios'],
  'attribute.needsKernel': ['the launch attribute "{name}" needs "kernel"', 'give the kernel, or leave it out'],
  'value.readOnly': ['the value cannot be changed: {why}', 'change what it is computed from'],
  'value.refused': ['{what} cannot be written', 'check the address and that the core is stopped'],
  'value.syntax': [
    '"{text}" is no value of type {type}',
    'give a number, a character, true or false, or an enumerator',
  ],
  'value.range': ['{text} does not fit {type}', 'give a smaller value'],
  'value.aggregate': ['a whole {type} cannot be set', 'set its members'],
  'path.syntax': ['"{text}" is not a C path: {what}', 'for example p->next[2].x, *p, &a.b'],
  'path.noName': ['nothing is called "{name}" here', 'check the name and the selected frame'],
  'path.noMember': ['{type} has no member "{name}"', 'check the name'],
  'path.notRecord': ['"{text}" is of type {type}, which has no members', 'use it without . or ->'],
  'path.notPointer': ['"{text}" is of type {type}, which is no pointer or array', 'use it without *, -> or [ ]'],
  'path.noAddress': ['"{text}" has no address', 'it is in a register, a bit field or a computed value'],
  'path.unavailable': ['"{text}" is not available: {why}', 'look at it in another frame or at another place'],
  'path.noType': ['there is no type "{name}"', 'check the name'],
  'path.notNumber': ['"{text}" is of type {type}, which is no number', 'use a number or a pointer'],
} as const satisfies Record<string, readonly [text: string, hint: string]>;

export type UserErrorCode = keyof typeof rows;

/** An error caused by what the user gave us. `message` is one line: text, then the hint. */
export class UserError extends Error {
  readonly code: UserErrorCode;
  readonly hint: string;
  constructor(code: UserErrorCode, values: Readonly<Record<string, string | number>> = {}) {
    const [text, hint] = rows[code];
    const fill = (s: string): string => s.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
    super(`${fill(text)}: ${fill(hint)}`);
    this.name = 'UserError';
    this.code = code;
    this.hint = fill(hint);
  }
}

/** Every code with its text and hint, for documentation and tests. */
export const userErrorRows: Readonly<Record<string, readonly [string, string]>> = rows;

/** Our own mistake: always thrown, never shown as the user's fault. */
export function bug(what: string): never {
  throw new Error(`elscope bug: ${what}`);
}
