/** Findings as a SARIF 2.1.0 log, for CI systems. */
import type { Finding } from '../machine/api';
import { describeFinding } from './findings';

export function sarif(findings: readonly Finding[]): unknown {
  const rules = [...new Set(findings.map((f) => f.kind))].map((kind) => ({
    id: kind.replaceAll(' ', '-'),
    shortDescription: { text: kind },
  }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'elscope', rules } },
        results: findings.map((f) => ({
          ruleId: f.kind.replaceAll(' ', '-'),
          level: 'error',
          message: { text: describeFinding(f).replaceAll('elscope: ', '') },
          locations: [{ physicalLocation: { address: { absoluteAddress: Number(f.pa) } } }],
        })),
      },
    ],
  };
}
