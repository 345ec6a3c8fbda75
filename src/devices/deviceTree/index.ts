/** Device trees: data, blobs, the board's own tree, and changes to a user's. */
export { type DeviceTreeBlob, MAX_TREE_BYTES, readDeviceTree, type TreeProblem, writeDeviceTree } from './blob';
export { cellsOf, nodeAt, propertyOf, stringsOf, withChosen, withMemory, withProperties } from './edit';
export { cells, flag, node, type Reservation, strings, type TreeNode, type TreeProperty, wide } from './node';
export { type TreeCache, type TreeCore, type TreeFacts, virtDeviceTree } from './virt';
