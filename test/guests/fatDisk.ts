/**
 * A disk image with a FAT16 file system over the whole disk, no partitions: what firmware reads. Files lie in the root folder,
 * one after the other, under names of eight and three capital letters.
 */

const SECTOR = 512;
const SECTORS_PER_CLUSTER = 16;
const CLUSTER = SECTOR * SECTORS_PER_CLUSTER;
const RESERVED_SECTORS = 1;
const ROOT_ENTRIES = 512;
const ENTRY_BYTES = 32;
/** A FAT16 file system is one by its number of clusters: from here on, and below 65525. */
const FEWEST_CLUSTERS = 4085;
const FIRST_CLUSTER = 2;
const END_OF_CHAIN = 0xffff;
const MEDIA = 0xf8;
const ARCHIVE = 0x20;
const JANUARY_1ST_1980 = 0x21;

/** 'INITRD.GZ' as it stands in a folder. */
function entryName(name: string): Buffer {
  const match = /^([A-Z0-9]{1,8})(?:\.([A-Z0-9]{1,3}))?$/.exec(name);
  if (!match) throw new Error(`not a short name: ${name}`);
  return Buffer.from(match[1].padEnd(8) + (match[2] ?? '').padEnd(3), 'latin1');
}

function bootSector(sectors: number, fatSectors: number): Buffer {
  const at = Buffer.alloc(SECTOR);
  at.set([0xeb, 0x3c, 0x90]);
  at.write('elscope ', 3, 'latin1');
  at.writeUInt16LE(SECTOR, 11);
  at.writeUInt8(SECTORS_PER_CLUSTER, 13);
  at.writeUInt16LE(RESERVED_SECTORS, 14);
  at.writeUInt8(1, 16); // one table
  at.writeUInt16LE(ROOT_ENTRIES, 17);
  at.writeUInt8(MEDIA, 21);
  at.writeUInt16LE(fatSectors, 22);
  at.writeUInt32LE(sectors, 32);
  at.writeUInt8(0x29, 38); // the next three fields are there
  at.writeUInt32LE(0x19800101, 39);
  at.write('GUEST      FAT16   ', 43, 'latin1');
  at.writeUInt16LE(0xaa55, 510);
  return at;
}

export function fatDisk(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const table = [0xff00 | MEDIA, END_OF_CHAIN];
  const root = Buffer.alloc(ROOT_ENTRIES * ENTRY_BYTES);
  for (const [i, [name, data]] of Object.entries(files).entries()) {
    const entry = root.subarray(i * ENTRY_BYTES);
    entry.set(entryName(name));
    entry.writeUInt8(ARCHIVE, 11);
    entry.writeUInt16LE(JANUARY_1ST_1980, 24);
    entry.writeUInt16LE(table.length, 26);
    entry.writeUInt32LE(data.length, 28);
    const clusters = Math.ceil(data.length / CLUSTER);
    for (let k = 1; k < clusters; k++) table.push(table.length + 1);
    table.push(END_OF_CHAIN);
  }
  const clusters = Math.max(table.length - FIRST_CLUSTER, FEWEST_CLUSTERS);
  const fatSectors = Math.ceil((2 * (clusters + FIRST_CLUSTER)) / SECTOR);
  const dataSector = RESERVED_SECTORS + fatSectors + root.length / SECTOR;
  const sectors = dataSector + clusters * SECTORS_PER_CLUSTER;
  const disk = Buffer.alloc(sectors * SECTOR);
  disk.set(bootSector(sectors, fatSectors));
  for (const [cluster, next] of table.entries()) disk.writeUInt16LE(next, RESERVED_SECTORS * SECTOR + 2 * cluster);
  disk.set(root, (RESERVED_SECTORS + fatSectors) * SECTOR);
  let at = dataSector * SECTOR;
  for (const data of Object.values(files)) {
    disk.set(data, at);
    at += Math.ceil(data.length / CLUSTER) * CLUSTER;
  }
  return disk;
}
