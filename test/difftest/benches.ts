/**
 * Which core and which QEMU judge a row: Cortex-A57 where it has the row's feature, otherwise the core with every feature;
 * Debian 12's QEMU, or Debian 13's for what the older one lacks.
 */
import { type FeatureName, featureNames } from '../../src/arch/features';
import { laterQemuUser } from '../../src/build/guests';
import { type CoreTypeName, coreTypes } from '../../src/machine/presets';
import { allRecipes, type Recipe } from './generate';
import type { Options } from './options';

/** Cores that both sides know by the same name. */
export const CPUS = [
  'cortex-a53',
  'cortex-a57',
  'cortex-a72',
  'neoverse-n1',
  'max',
] as const satisfies readonly CoreTypeName[];
export type CpuName = (typeof CPUS)[number];
export const isCpu = (name: string): name is CpuName => (CPUS as readonly string[]).includes(name);

/** Versions whose user mode judges, and one of which the system mode does. */
export type UserVersion = '7.2' | '10.0';
export type QemuVersion = UserVersion | 'system 7.2';

/** Features of `max` that QEMU 7.2's has not, taken away where its system mode judges. */
export const LACKING: readonly FeatureName[] = ['FEAT_EPAC', 'FEAT_PAuth2', 'FEAT_FPAC', 'FEAT_FPACCOMBINE'];

/** Features whose instructions QEMU 7.2 has on no core. */
const LATER: ReadonlySet<FeatureName> = new Set<FeatureName>([
  'FEAT_AFP',
  'FEAT_CSSC',
  'FEAT_EBF16',
  'FEAT_EPAC',
  'FEAT_FPAC',
  'FEAT_FPACCOMBINE',
  'FEAT_HBC',
  'FEAT_LSE2',
  'FEAT_MOPS',
  'FEAT_PACQARMA3',
  'FEAT_PAuth2',
  'FEAT_RPRES',
  'FEAT_WFxT',
  'FEAT_XS',
]);

/** Rows that run together: on this core, against this QEMU. */
export interface Bench {
  readonly cpu: CpuName;
  readonly qemu: QemuVersion;
  readonly recipes: readonly Recipe[];
}

/**
 * QEMU 7.2's `max` lacks FEAT_LSE2, which changes what is aligned. In user mode nobody knows the keys of pointer authentication,
 * which its kernel draws, and DC ZVA on `max` zeroes 512 bytes. 7.2's error in FCVTZS (known.ts)
 * shows anywhere in a block.
 */
function qemuOf(cpu: CpuName, { name, feature, memory }: Recipe): QemuVersion {
  if (feature === 'FEAT_PAuth' || (cpu === 'max' && name === 'DC_ZVA')) return 'system 7.2';
  return (feature && LATER.has(feature)) || (cpu === 'max' && (memory || name === 'block')) ? '10.0' : '7.2';
}

/**
 * @param cpu runs everything that it has; without it, every row runs once. The engine alone has every row that has a meaning,
 * also those of features that no core has yet. Benches without rows are left out.
 */
export function benches(
  { cpu, subject }: Pick<Options, 'cpu' | 'subject'>,
  wanted: (recipe: Recipe) => boolean,
): Bench[] {
  const plain = coreTypes['cortex-a57'].features;
  const on = subject === 'engine' ? (cpu ?? 'max') : cpu;
  const pairs: readonly (readonly [CpuName, Recipe])[] = on
    ? allRecipes(subject === 'engine' ? new Set(featureNames) : coreTypes[on].features).map((recipe) => [on, recipe])
    : [
        ...allRecipes(plain).map((recipe) => ['cortex-a57', recipe] as const),
        ...allRecipes(coreTypes.max.features)
          .filter(({ feature }) => feature && !plain.has(feature))
          .map((recipe) => ['max', recipe] as const),
      ];
  const kept = pairs.filter(([, recipe]) => wanted(recipe));
  const all = CPUS.flatMap((name) =>
    (['7.2', '10.0', 'system 7.2'] as const).map((qemu) => ({
      cpu: name,
      qemu,
      recipes: kept.flatMap(([core, recipe]) => (core === name && qemuOf(core, recipe) === qemu ? [recipe] : [])),
    })),
  );
  return all.filter(({ recipes }) => recipes.length > 0);
}

/** The program; that of Debian 13 is fetched when first asked for. */
export const qemuProgram = async (version: UserVersion): Promise<string> =>
  version === '7.2' ? 'qemu-aarch64' : laterQemuUser();
