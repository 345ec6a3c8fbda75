/** Exception syndromes: classes, formats, modes, and the decoding of ESR_ELx values. */
export { EC, type ExceptionClassRow, exceptionClass, exceptionClasses } from './classes';
export { decodeEsr, trappedAccess, trappedName } from './decode';
export { faultStatus } from './faultStatus';
export { type IssFormat, issFormats } from './formats';
export { modeName, modes } from './modes';
