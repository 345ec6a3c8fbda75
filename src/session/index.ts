/** Debugging without a front end: run control, breakpoints, stepping, stacks, values, expressions and view models. */
export { formatReference, parseReference } from './addressReference';
export { breakpointModes } from './breakpointRequests';
export { exceptionFilters } from './exceptionFilters';
export { sessionHandlers } from './handlers';
export type { SourceText } from './model/code';
export type { Scheduler } from './runControl';
export { type Emit, Session, type SessionOptions } from './session';
export { type SymbolFile, Target } from './target';
