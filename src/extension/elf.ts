/** Which files can be debugged: the first bytes of an ELF64 program for AArch64. Pure. */

/** Bytes of a file that `isGuestElf` needs. */
export const ELF_HEADER_BYTES = 20;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_AARCH64 = 183;

/** A little-endian ELF64 executable (or position-independent one) for AArch64. */
export function isGuestElf(header: Uint8Array): boolean {
  if (header.length < ELF_HEADER_BYTES) return false;
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, i) => header[i] === byte);
  const type = header[16] | (header[17] << 8);
  return magic && (type === ET_EXEC || type === ET_DYN) && (header[18] | (header[19] << 8)) === EM_AARCH64;
}

/** File names that are worth a look inside: what linkers and kernel builds write. */
export const ELF_NAMES = '**/{*.elf,*.axf,*.out,vmlinux,u-boot}';
