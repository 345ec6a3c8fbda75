/** The scope of SIMD&FP registers: V0 to V31, each with its elements in every view, then FPCR and FPSR with their fields. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { byName, systemRegisters } from '../arch/sysregs';
import type { CoreView } from '../machine/api';
import type { FrameEnvironment } from './environment';
import type { RegisterAccess } from './expressions/evaluate';
import { canWrite, systemAccess } from './registers';
import { type Container, type RowMaker, refuse, setAccess } from './variables';
import {
  elementBits,
  elementBytes,
  elementText,
  type VectorView,
  vectorElement,
  vectorNamed,
  vectorViews,
} from './vectorRegisters';

const UNKNOWN = 'not known in this frame';
const readOnly = { presentationHint: { attributes: ['readOnly'] } };

/** The elements of one register in one view. */
function elements(env: FrameEnvironment, core: CoreView, n: number, view: VectorView): Container {
  const list = Array.from({ length: 16 / elementBytes[view.letter] }, (_, i) =>
    vectorElement(core, env.frame, n, view.letter, i),
  );
  const row = (access: RegisterAccess, i: number): Dap.Variable => ({
    name: `[${i}]`,
    value: elementText(view, access.read() ?? 0n),
    evaluateName: access.name,
    variablesReference: 0,
    ...(access.write ? {} : readOnly),
  });
  return {
    list: () => list.map(row),
    set: (name, text) => {
      const access = list.find((_, i) => `[${i}]` === name) ?? refuse(`there is no element "${name}" here`);
      const bits = view.float ? elementBits(view, text) : undefined;
      if (bits === undefined) setAccess(env, access, text);
      else if (!access.write?.(bits)) refuse(`${access.name} is read only`);
    },
  };
}

function summary(core: CoreView, env: FrameEnvironment, n: number, view: VectorView): string {
  const count = 16 / elementBytes[view.letter];
  const texts = Array.from({ length: count }, (_, i) =>
    elementText(view, vectorElement(core, env.frame, n, view.letter, i).read() ?? 0n),
  );
  return `{${texts.join(', ')}}`;
}

export function vectorScope(env: FrameEnvironment, core: CoreView, rows: RowMaker): Container {
  const { frame } = env;
  const whole = Array.from({ length: 32 }, (_, n) => vectorNamed(core, frame, `v${n}`)!);
  const controls = rows.registers(
    env,
    ['FPCR', 'FPSR'].map((name) => systemAccess(core, systemRegisters[byName(name)], frame.guest)),
  );
  const views = (n: number): Container => ({
    list: (page) =>
      rows
        .groups(
          vectorViews.map((view) => ({
            name: view.name,
            value: summary(core, env, n, view),
            make: () => elements(env, core, n, view),
          })),
        )
        .list(page),
  });
  const registers = (): Dap.Variable[] =>
    canWrite(frame)
      ? whole.map((access, n) => ({ ...rows.register(env, access), variablesReference: rows.handle(views(n)) }))
      : [{ name: 'V0–V31', value: UNKNOWN, variablesReference: 0 }];
  return {
    list: (page) => [...registers(), ...controls.list(page)],
    set: (name, text) => {
      const access = whole.find((a) => a.name === name);
      if (access) setAccess(env, access, text);
      else controls.set?.(name, text);
    },
  };
}
