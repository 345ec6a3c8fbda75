/** What the suites inside the extension host hand to the runner outside, as JSON. */
export interface TestResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'pending';
  readonly ms?: number;
  readonly error?: string;
}

export interface SuiteResults {
  readonly failures: number;
  readonly passes: number;
  readonly results: readonly TestResult[];
}
