/**
 * Kernel releases by which policies are chosen. Only major and minor count: 'v6.12', '6.12' and '6.12.57' are the same here,
 * since what stable releases carry over differs from tree to tree.
 */
import { UserError } from '../base/errors';

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The oldest release whose behaviour the tables describe. */
export const OLDEST: KernelVersion = { major: 5, minor: 4 };

/** Reads a release; throws the user error `kvm.version` when it is none, or older than OLDEST. */
export function parseKernelVersion(text: string): KernelVersion {
  const match = /^v?(\d{1,3})\.(\d{1,3})(\.\d+)?$/.exec(text.trim());
  const version = match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
  if (version === undefined || !atLeast(version, OLDEST))
    throw new UserError('kvm.version', { version: text, oldest: versionText(OLDEST) });
  return version;
}

export const atLeast = (version: KernelVersion, since: KernelVersion): boolean =>
  version.major > since.major || (version.major === since.major && version.minor >= since.minor);

/** 'v6.12' */
export const versionText = (version: KernelVersion): string => `v${version.major}.${version.minor}`;
