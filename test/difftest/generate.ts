/**
 * Random cases from the instruction table. Every case follows from (seed, row, index) alone, so that one can be made
 * again. Base registers of loads and stores mostly point into the page of memory, targets of branches into the region of
 * code; encodings that the architecture leaves CONSTRAINED UNPREDICTABLE are not made.
 */
import type { FeatureName, FeatureSet } from '../../src/arch/features';
import type { Fields } from '../../src/arch/instructions';
import { SeededRandom } from '../../src/base/random';
import { encode, randomWord } from '../../src/isa/encode';
import { type CompiledRow, compiledRows, extract } from '../../src/isa/pattern';
import { type Case, LAYOUT, MAX_WORDS } from './cases';
import { randomFpcr, randomFpsr, randomVector } from './vectors';

/** Makes instructions and fixes up the registers that they read. */
export interface Recipe {
  readonly name: string;
  /** That the row needs. */
  readonly feature?: FeatureName;
  readonly memory: boolean;
  /** FPCR may ask for flushing of half precision. */
  readonly half?: boolean;
  readonly make: (random: SeededRandom, state: State) => readonly number[];
}

interface State {
  readonly x: bigint[];
  sp: bigint;
  nzcv: number;
}

const EDGES = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn].concat([
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
]);

const next64 = (random: SeededRandom): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next());

function randomValue(random: SeededRandom): bigint {
  switch (random.below(6)) {
    case 0:
      return EDGES[random.below(EDGES.length)];
    case 1:
      return BigInt(random.below(64));
    case 2:
      return BigInt(random.next());
    case 3:
      return (1n << BigInt(random.below(64))) ^ (random.below(2) ? 0xffff_ffff_ffff_ffffn : 0n);
    default:
      return next64(random);
  }
}

const setRegister = (state: State, n: number, value: bigint): void => {
  if (n === 31) state.sp = value;
  else state.x[n] = BigInt.asUintN(64, value);
};

/** The middle of the page, 16-byte aligned three times out of four. */
function memoryPointer(random: SeededRandom): bigint {
  const aligned = LAYOUT.memoryBase + 0x600 + 16 * random.below(64);
  return BigInt(aligned + (random.below(4) === 0 ? random.below(16) : 0));
}

function codePointer(random: SeededRandom): bigint {
  const ahead = 64 + 4 * random.below(2000);
  const target = LAYOUT.codeStart + (random.below(2) ? ahead : -ahead);
  return BigInt(target + (random.below(16) === 0 ? 1 + random.below(3) : 0));
}

/** A branch offset, in words, that stays in the code region and does not hit the case itself. */
const branchField = (random: SeededRandom, width: number): number => {
  const ahead = MAX_WORDS + random.below(2000);
  return random.below(2) ? ahead : 2 ** width - ahead;
};

/** Fields that should be ones or zero: any other value is CONSTRAINED UNPREDICTABLE. */
const SHOULD_BE: Readonly<Record<string, Fields>> = {
  SMULH: { Ra: 31 },
  UMULH: { Ra: 31 },
  STLR: { Rs: 31, Rt2: 31 },
  LDAR: { Rs: 31, Rt2: 31 },
  STLLR: { Rs: 31, Rt2: 31 },
  LDLAR: { Rs: 31, Rt2: 31 },
  CFINV: { CRm: 0 },
  XAFLAG: { CRm: 0 },
  AXFLAG: { CRm: 0 },
  SB: { CRm: 0 },
};

/** Values for the fields that decide where a branch or a literal load goes. */
function pinnedFields(compiled: CompiledRow, random: SeededRandom): Fields {
  const { effect, id } = compiled.row;
  const pinned: Record<string, number> = { ...SHOULD_BE[id] };
  for (const { name, width } of compiled.pattern.fields) {
    if (effect === 'load' && name === 'imm19')
      pinned[name] = (LAYOUT.memoryBase - LAYOUT.codeStart) / 4 + random.below(1000);
    else if ((effect === 'branch' || effect === 'call') && /^imm(14|19|26)$/.test(name))
      pinned[name] = branchField(random, width);
    else if ((effect === 'load' || effect === 'store') && name === 'imm12') pinned[name] = random.below(64);
  }
  return pinned;
}

/** What the manual leaves CONSTRAINED UNPREDICTABLE: no two implementations need to agree on it. */
export function isUnpredictable(id: string, f: Fields): boolean {
  const { Rn, Rt, Rt2, Rs } = f;
  if (/_(post|pre)$/.test(id) && Rn !== 31 && (Rn === Rt || (Rt2 !== undefined && Rn === Rt2))) return true;
  if (/^LD(P|NP|PSW|XP|AXP)/.test(id) && Rt === Rt2) return true;
  if (/^STL?X[RP]$/.test(id)) return Rs === Rt || (Rs === Rn && Rn !== 31) || (/P$/.test(id) && Rs === Rt2);
  return false;
}

function validWord(compiled: CompiledRow, random: SeededRandom): number {
  for (;;) {
    const word = randomWord(compiled, random, pinnedFields(compiled, random));
    if (!isUnpredictable(compiled.row.id, extract(compiled, word))) return word;
  }
}

/** Gives the registers that an instruction takes addresses from such values that most accesses and branches arrive. */
function aim(compiled: CompiledRow, fields: Fields, random: SeededRandom, state: State): void {
  const { effect } = compiled.row;
  const accesses = effect === 'load' || effect === 'store' || effect === 'loadstore';
  if (accesses && random.below(20) === 0) return; // some accesses go anywhere
  if (accesses && fields.Rm !== undefined) {
    const offset = BigInt(random.below(200) - 100);
    const is32 = fields.option !== undefined && (fields.option & 1) === 0;
    const unsigned = fields.option !== undefined && fields.option < 4;
    const value = is32 && unsigned && offset < 0n ? -offset : offset;
    setRegister(state, fields.Rm, is32 ? (next64(random) << 32n) | BigInt.asUintN(32, value) : value);
  }
  if (accesses && fields.Rn !== undefined) setRegister(state, fields.Rn, memoryPointer(random));
  if (effect === 'branch' || effect === 'call' || effect === 'return')
    if (fields.Rn !== undefined && fields.Rn !== 31) setRegister(state, fields.Rn, codePointer(random));
}

const rowRecipe = (compiled: CompiledRow): Recipe => ({
  name: compiled.row.id,
  feature: compiled.row.feature,
  memory: ['load', 'store', 'loadstore'].includes(compiled.row.effect),
  make(random, state) {
    const word = validWord(compiled, random);
    aim(compiled, extract(compiled, word), random, state);
    return [word];
  },
});

/** Effects that a case at EL0 can have without leaving the test. */
const TESTABLE = new Set(['none', 'branch', 'call', 'return', 'load', 'store', 'loadstore', 'sync']);

/** Features that no QEMU in use knows: their rows have tests of their own. */
const NO_ORACLE: ReadonlySet<string> = new Set(['FEAT_CSSC']);

/** Rows that run, or are UNDEFINED by name, on a core with these features. */
export function testableRows(features: FeatureSet): readonly CompiledRow[] {
  return compiledRows.filter(
    ({ row }) =>
      row.asm !== '' &&
      row.status !== 'unimplemented' &&
      (TESTABLE.has(row.effect) || row.id === 'UDF') &&
      (row.feature === undefined || (features.has(row.feature) && !NO_ORACLE.has(row.feature))),
  );
}

const rowNamed = (id: string): CompiledRow => {
  const found = compiledRows.find(({ row }) => row.id === id);
  if (!found) throw new Error(`no instruction row ${id}`);
  return found;
};

/** A field of PSTATE that EL0 may use: written by MSR (register), then most often by MSR (immediate), read back after each. */
const pstateRecipe = (name: string, feature: FeatureName, msr: number, msrImmediate: number): Recipe => ({
  name,
  feature,
  memory: false,
  make(random) {
    const register = (): number => random.below(31);
    const mrs = (msr | 0x0020_0000) >>> 0;
    const immediate = (msrImmediate | (random.below(16) << 8)) >>> 0;
    return [msr + register(), mrs + register(), ...(random.below(4) === 0 ? [] : [immediate, mrs + register()])];
  },
});

/** Several instructions in a row, or system instructions with operands of their own. */
function specialRecipes(rows: readonly CompiledRow[]): readonly Recipe[] {
  // Codes of pointer authentication follow from keys, and whether a wrong one faults from the core.
  const plain = rows.filter(
    ({ row }) => row.effect === 'none' && row.feature !== 'FEAT_PAuth' && !/^PRFM|^HINT$/.test(row.id),
  );
  const register = (random: SeededRandom): number => random.below(31);
  const recipes: readonly Recipe[] = [
    {
      name: 'block', // data processing only: 2 to 12 instructions, results feeding later ones
      memory: false,
      make: (random) =>
        Array.from({ length: 2 + random.below(11) }, () => validWord(plain[random.below(plain.length)], random)),
    },
    {
      name: 'exclusive', // a load exclusive and a store exclusive of the same address, most often of the same size
      memory: true,
      make(random, state) {
        const pair = random.below(2) === 1;
        const [load, store] = (pair ? ['LDXP', 'STXP'] : ['LDXR', 'STXR']).map(rowNamed);
        for (;;) {
          const first = validWord(load, random);
          const { Rn, Rt, Rt2, size, sz } = extract(load, first);
          const width: Fields = pair ? { sz } : { size };
          const second = randomWord(store, random, { Rn, ...width });
          const loaded = pair ? [Rt, Rt2] : [Rt];
          if (isUnpredictable(store.row.id, extract(store, second)) || (Rn !== 31 && loaded.includes(Rn))) continue;
          setRegister(state, Rn, BigInt(LAYOUT.memoryBase + 0x600 + 16 * random.below(64)));
          return [first, second];
        }
      },
    },
    {
      name: 'DC_ZVA',
      memory: true,
      make(random, state) {
        const rt = register(random);
        state.x[rt] = memoryPointer(random);
        return [0xd50b7420 + rt];
      },
    },
    { name: 'MRS_NZCV', memory: false, make: (random) => [0xd53b4200 + register(random)] },
    { name: 'MSR_NZCV', memory: false, make: (random) => [0xd51b4200 + register(random)] },
    {
      name: 'FPCR', // written, read back
      memory: false,
      make: (random) => [0xd51b4400 + register(random), 0xd53b4400 + register(random)],
    },
    {
      name: 'FPSR', // likewise; its upper bits are AArch32's, which QEMU always has
      memory: false,
      make(random, state) {
        const rt = register(random);
        state.x[rt] &= 0x0fff_ffffn;
        return [0xd51b4420 + rt, 0xd53b4420 + register(random)];
      },
    },
    {
      name: 'TPIDR_EL0', // written, read back
      memory: false,
      make: (random) => [0xd51bd040 + register(random), 0xd53bd040 + register(random)],
    },
    {
      name: 'signed', // a pointer gets its code; then it is authenticated, most often in the same way, or branched to
      feature: 'FEAT_PAuth',
      memory: false,
      make(random, state) {
        const [Rd, Rn] = [random.below(30), 30];
        const opc = random.below(4);
        const upper = random.below(2) === 1;
        const canonical = (next64(random) & 0x7f_ffff_ffffn) | (upper ? 0xffff_ff80_0000_0000n : 0n);
        state.x[Rd] = random.below(3) === 0 ? randomValue(random) : canonical;
        const branches = opc < 2 && random.below(3) === 0;
        if (branches) state.x[Rd] = codePointer(random);
        const other = random.below(4) === 0 ? random.below(4) : opc;
        const use = branches
          ? encode('BRA', { M: other & 1, Rn: Rd, Rm: Rn })
          : encode('PAC_reg', { opc: 4 + other, Rn, Rd });
        return [encode('PAC_reg', { opc, Rn, Rd }), use];
      },
    },
    pstateRecipe('DIT', 'FEAT_DIT', 0xd51b42a0, 0xd503405f),
    pstateRecipe('SSBS', 'FEAT_SSBS2', 0xd51b42c0, 0xd503403f),
  ];
  return recipes;
}

export function allRecipes(features: FeatureSet): readonly Recipe[] {
  const rows = testableRows(features);
  const half = features.has('FEAT_FP16');
  return [...rows.map(rowRecipe), ...specialRecipes(rows)]
    .filter(({ feature }) => feature === undefined || features.has(feature))
    .map((recipe) => ({ ...recipe, half }));
}

/** Mixes text and numbers into a seed. */
function seedOf(seed: number, name: string, index: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of `${name}#${index}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

export function makeCase(recipe: Recipe, seed: number, index: number): Case {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seedOf(seed, recipe.name, index));
  const state: State = {
    x: Array.from({ length: 31 }, () => randomValue(random)),
    sp: BigInt(LAYOUT.memoryBase + 0x600 + 16 * random.below(64)),
    nzcv: random.below(16),
  };
  const v = Array.from({ length: 32 }, () => randomVector(random));
  const [fpcr, fpsr] = [randomFpcr(random, recipe.half), randomFpsr(random)];
  const words = recipe.make(random, state);
  let memory: Uint8Array | undefined;
  if (recipe.memory) {
    const filled = new Uint32Array(LAYOUT.memorySize / 4);
    for (let i = 0; i < filled.length; i++) filled[i] = random.next();
    memory = new Uint8Array(filled.buffer);
  }
  return { row: recipe.name, seed, index, words, x: state.x, sp: state.sp, nzcv: state.nzcv, v, fpcr, fpsr, memory };
}
