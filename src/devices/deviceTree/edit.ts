/** Reading and changing trees: paths, properties, and what a boot loader puts into /chosen and /memory of a user's tree. */
import { decodeUtf8 } from '../../base/utf8';
import type { DeviceTreeBlob } from './blob';
import { cells, node, strings, type TreeNode, type TreeProperty } from './node';
import { chosenProperties, type TreeFacts } from './virt';

/** The node at a path ('/cpus/cpu@0'); a part without its '@…' finds the first such node. */
export function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let at: TreeNode | undefined = root;
  for (const part of path.split('/').filter((name) => name !== ''))
    at = at?.children.find((child) => child.name === part) ?? at?.children.find((c) => c.name.split('@')[0] === part);
  return at;
}

export const propertyOf = (at: TreeNode | undefined, name: string): Uint8Array | undefined =>
  at?.properties.find((property) => property.name === name)?.value;

/** A property's 32-bit cells. */
export function cellsOf(value: Uint8Array | undefined): number[] {
  if (value === undefined || value.length % 4 !== 0) return [];
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i));
}

/** A property's strings. */
export function stringsOf(value: Uint8Array | undefined): string[] {
  if (value === undefined || value.length === 0 || value[value.length - 1] !== 0) return [];
  return decodeUtf8(value.subarray(0, -1)).split('\0');
}

/** The node with these properties set, in place where they exist already. */
export function withProperties(at: TreeNode, properties: readonly TreeProperty[]): TreeNode {
  const fresh = new Map(properties.map((property) => [property.name, property]));
  const kept = at.properties.map((property) => {
    const replacement = fresh.get(property.name);
    fresh.delete(property.name);
    return replacement ?? property;
  });
  return { ...at, properties: [...kept, ...fresh.values()] };
}

/** A user's tree with bootargs and initrd filled into /chosen, as a boot loader does. */
export function withChosen(tree: DeviceTreeBlob, facts: Pick<TreeFacts, 'bootargs' | 'initrd'>): DeviceTreeBlob {
  const properties = chosenProperties(facts);
  if (properties.length === 0) return tree;
  const { root } = tree;
  const has = root.children.some((child) => child.name === 'chosen');
  const children = has ? root.children : [...root.children, node('chosen')];
  const changed = children.map((child) => (child.name === 'chosen' ? withProperties(child, properties) : child));
  return { ...tree, root: { ...root, children: changed } };
}

/** `value` as `count` 32-bit cells, the most significant first. */
const split = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** (32 * (count - 1 - i))) % 2 ** 32);

/** A user's tree with its memory nodes replaced by the machine's RAM, in the root's own cell sizes. */
export function withMemory(tree: DeviceTreeBlob, base: number, size: number): DeviceTreeBlob {
  const { root } = tree;
  const addressCells = cellsOf(propertyOf(root, '#address-cells'))[0] ?? 2;
  const sizeCells = cellsOf(propertyOf(root, '#size-cells'))[0] ?? 1;
  const memory = node(`memory@${base.toString(16)}`, [
    strings('device_type', 'memory'),
    cells('reg', ...split(base, addressCells), ...split(size, sizeCells)),
  ]);
  const others = root.children.filter((child) => stringsOf(propertyOf(child, 'device_type'))[0] !== 'memory');
  return { ...tree, root: { ...root, children: [...others, memory] } };
}
