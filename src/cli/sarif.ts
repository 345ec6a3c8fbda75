/** Findings as a SARIF 2.1.0 log, for CI systems. */
import { type Finding, findingKinds } from '../machine/api';
import { describeFinding } from './findings';
import type { Place, Places } from './places';

function location(address: bigint, { file, line, symbol }: Place, text?: string): unknown {
  const source = file && { artifactLocation: { uri: encodeURI(file) }, region: { startLine: line } };
  return {
    physicalLocation: { address: { absoluteAddress: Number(address) }, ...source },
    ...(symbol === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: symbol }] }),
    ...(text === undefined ? {} : { message: { text } }),
  };
}

export function sarif(findings: readonly Finding[], places: Places): unknown {
  const rules = [...new Set(findings.map((f) => f.kind))].map((kind) => ({
    id: kind.replaceAll(' ', '-'),
    shortDescription: { text: kind },
    fullDescription: { text: findingKinds[kind].what },
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
          message: { text: describeFinding(f, places).replaceAll('elscope: ', '') },
          locations: [location(f.pa, places(f.pc))],
          ...(f.writerPc === undefined
            ? {}
            : { relatedLocations: [location(f.writerPc, places(f.writerPc), 'written here')] }),
        })),
      },
    ],
  };
}
