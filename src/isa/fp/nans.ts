/** FPProcessNaN() and its relatives: which NaN a result is, for operands of which at least one is a NaN. */
import { type I32, i64, type Local, op32, op64 } from '../../wasm/code';
import { type Format, FPCR, FPSR } from './format';
import { isAnyNaN, isQuiet, type Routine, type RoutineCode, routine } from './routine';

const isSignalling = (f: Format, a: Local<'i64'>): I32 => op32.and(isAnyNaN(f, a), op32.eqz(isQuiet(f, a)));

/** (operands…): a signalling NaN counts before a quiet one, an earlier operand before a later one. */
function processNaNs(f: Format, operands: number): Routine {
  return routine(Array<'i64'>(operands).fill('i64'), (c: RoutineCode) => {
    const chosen = c.local('i64');
    c.block((found) => {
      for (const signalling of [true, false]) {
        for (let i = 1; i <= operands; i++) {
          const a = c.bits(i);
          c.if(signalling ? isSignalling(f, a) : isAnyNaN(f, a), () => {
            c.set(chosen, a);
            if (signalling) c.raise(FPSR.IOC);
            found();
          });
        }
      }
    });
    c.if(c.fpcr(FPCR.DN), () => c.return(i64(f.defaultNaN)));
    c.return(op64.or(chosen, i64(f.quietBit)));
  });
}

export const nanRoutines = (f: Format): Record<string, Routine> => ({
  [`FPProcessNaN${f.bits}`]: processNaNs(f, 1),
  [`FPProcessNaNs${f.bits}`]: processNaNs(f, 2),
  [`FPProcessNaNs3${f.bits}`]: processNaNs(f, 3),
});
