/**
 * The VS Code versions that elscope is tested with. Both are real workbenches served by code-server, which takes its
 * version numbers from the VS Code inside: 4.x.y serves VS Code 1.x.y. `oldest` is what `engines.vscode` promises.
 */
export type HostId = 'current' | 'oldest';

export interface HostVersion {
  readonly id: HostId;
  readonly vscode: string;
  readonly codeServer: string;
  /** code-server runs on one Node major only. */
  readonly nodeMajor: number;
  /** Version of the npm package `node-<os>-<cpu>` that is used when the running Node is of another major. */
  readonly nodePackage: string;
  /** Version of `@vscode/ripgrep-universal` to add where the host comes without a search binary. */
  readonly ripgrepPackage?: string;
  /** From 1.133 on, a built server takes an extension under development from the URL only with this server option. */
  readonly developmentOption?: string;
}

export const HOSTS: Readonly<Record<HostId, HostVersion>> = {
  current: {
    id: 'current',
    vscode: '1.139.1',
    codeServer: '4.139.1',
    nodeMajor: 24,
    nodePackage: '24.21.0',
    developmentOption: 'enable-smoke-test-driver',
  },
  oldest: {
    id: 'oldest',
    vscode: '1.100.3',
    codeServer: '4.100.3',
    nodeMajor: 20,
    nodePackage: '20.20.2',
    ripgrepPackage: '1.18.0',
  },
};

/** The host named by `ELSCOPE_HOST`, else the current one. */
export function selectedHost(): HostVersion {
  const id = process.env.ELSCOPE_HOST ?? 'current';
  if (id !== 'current' && id !== 'oldest') throw new Error(`ELSCOPE_HOST is '${id}'; it may be current or oldest`);
  return HOSTS[id];
}
