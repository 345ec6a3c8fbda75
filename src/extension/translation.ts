/** Shows how an address is translated: each descriptor on the way in a list that can be filtered, read aloud and copied. */
import * as vscode from 'vscode';
import { shortHex } from '../protocol/presentation';
import type { TranslationResult } from '../protocol/views';
import type { Session } from './sessions';

export interface TranslationLine {
  readonly label: string;
  readonly description: string;
  readonly detail?: string;
  readonly value: string;
}

/** The list's rows: the outcome, then one for each descriptor. Pure. */
export function translationLines(result: TranslationResult): TranslationLine[] {
  const outcome: TranslationLine = result.ok
    ? {
        label: `$(arrow-right) PA ${shortHex(result.pa ?? '0x0')}`,
        description: `${result.ipa === undefined ? '' : `from IPA ${shortHex(result.ipa)}, `}${result.attributes}`,
        detail: result.fromTlb ? 'from an entry of the TLB' : undefined,
        value: result.pa ?? '',
      }
    : { label: `$(error) ${result.fault ?? 'fault'}`, description: result.attributes, value: result.fault ?? '' };
  const steps = result.steps.map((step) => ({
    label: result.ipa === undefined ? `level ${step.level}` : `stage ${step.stage}, level ${step.level}`,
    description: `${step.descriptor} at PA ${shortHex(step.descriptorPa)}`,
    detail: step.meaning,
    value: step.descriptor,
  }));
  return [outcome, ...steps];
}

export async function showTranslation(session: Session, address: string): Promise<void> {
  const core = await session.focusedCore();
  const result = await session.request('elscope/translate', { address, core });
  const chosen = await vscode.window.showQuickPick(translationLines(result), {
    title: `Translation of ${result.address} on core ${result.core}`,
    placeHolder: 'Enter copies the value',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (chosen) await vscode.env.clipboard.writeText(chosen.value);
}
