/** Pointer authentication as routines of generated code. */
export { extended, pauthRoutines } from './pointers';
