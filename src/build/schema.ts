/** `npm run schema`: the JSON schema of machine files, from the table that the parser reads them by. */
import { featureNames, featureRow } from '../arch/features';
import type { FieldTable } from '../machine/fileReader';
import { machineFields } from '../machine/machineFile';
import { type GeneratedFile, writeWhenMain } from './generated';

type FieldRow = FieldTable[string];
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly examples?: readonly unknown[];
}

/** Fields whose absence is said by null. */
const nullable: readonly string[] = ['l2'];

function numbers({ low, high, powerOfTwo, doc }: FieldRow): Schema {
  if (!powerOfTwo || low === undefined || high === undefined) {
    return { type: 'integer', description: doc, minimum: low, maximum: high };
  }
  const powers: number[] = [];
  for (let value = 1; value <= high; value *= 2) if (value >= low) powers.push(value);
  return { type: 'integer', description: doc, enum: powers };
}

/** Choices that are written as numbers are numbers in the file. */
function choices({ choices: texts = [], doc }: FieldRow): Schema {
  const numeric = texts.every((text) => /^\d+$/.test(text));
  return { description: doc, enum: numeric ? texts.map(Number) : texts };
}

function fields(table: FieldTable): Pick<Schema, 'properties' | 'additionalProperties'> {
  const properties = Object.entries(table).map(([name, row]) => [name, schemaOf(name, row)] as const);
  return { properties: Object.fromEntries(properties), additionalProperties: false };
}

function schemaOf(name: string, row: FieldRow): Schema {
  const { kind, doc } = row;
  if (kind === 'number') return numbers(row);
  if (kind === 'choice') return choices(row);
  if (kind === 'boolean') return { type: 'boolean', description: doc };
  if (kind === 'text') return { type: 'string', description: doc };
  if (kind === 'texts') return { type: 'object', description: doc, additionalProperties: { type: 'string' } };
  if (kind === 'size') {
    return {
      type: ['string', 'integer'],
      description: doc,
      pattern: '^(0x[0-9a-fA-F]+|\\d+(\\.\\d+)?)\\s*[KMGkmg]?(i?[Bb])?$',
    };
  }
  if (kind === 'registers') {
    const value: Schema = { type: 'string', pattern: '^0x[0-9a-fA-F]{1,16}$' };
    return { type: 'object', description: doc, additionalProperties: value, examples: [{ CTR_EL0: '0x8444c004' }] };
  }
  if (kind === 'features') {
    const done = featureNames.filter((feature) => featureRow(feature)?.status === 'done');
    const properties = done.map((feature) => [feature, { type: 'boolean', description: featureRow(feature)?.doc }]);
    return {
      type: 'object',
      description: doc,
      properties: Object.fromEntries(properties),
      additionalProperties: false,
    };
  }
  const inner: Schema = { type: nullable.includes(name) ? ['object', 'null'] : 'object', ...fields(row.fields ?? {}) };
  if (kind !== 'list') return { ...inner, description: doc };
  return { type: 'array', description: doc, minItems: row.least, maxItems: row.most, items: inner };
}

export const machineSchema = (): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'elscope machine file',
  description: 'A machine for elscope: a preset and what is different from it.',
  type: 'object',
  allowTrailingCommas: true,
  allowComments: true,
  properties: { $schema: { type: 'string' }, ...fields(machineFields).properties },
  additionalProperties: false,
});

export const schemaFile: GeneratedFile = {
  file: 'media/machine.schema.json',
  script: 'schema',
  text: () => `${JSON.stringify(machineSchema(), null, 2)}\n`,
};

writeWhenMain(schemaFile, import.meta.url);
