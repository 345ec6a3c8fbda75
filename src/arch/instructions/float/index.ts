/** Floating point: scalar instructions, and vectors with the scalar forms of their encoding groups. */
export { brainFloatRows } from './brain';
export { floatScalarRows } from './scalar';
export { floatVectorRows } from './vector';
