/**
 * Where the model does not say what a kernel says, and why that stays. The test fails for an answer that differs and is not here,
 * and for an entry of a run that does not differ any more.
 */
export interface KnownDifference {
  readonly kernel: string;
  readonly machine: string;
  /** The command as `readable` gives it. */
  readonly command: string;
  readonly model: string;
  readonly said: string;
  readonly why: string;
}

/** What a stable tree took over from a later release: overrides of the policies, by kernel. Its machines show that each is needed. */
export const backports: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // 62cffa496aac, in 6.12.14: "late cores of a machine like cortex-a57"
  '6.12': { lateIpaRange: 'system' },
};

/** Kernels that are configured without CONFIG_ARM64_ERRATUM_1542419: the model is told that no core has the erratum. */
export const withoutErratum1542419: readonly string[] = ['6.12'];

export const differences: readonly KnownDifference[] = [];
