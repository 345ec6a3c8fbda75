/**
 * DWARF expressions (DWARF 5 sections 2.5 and 2.6) evaluated over a port. The result is a location; whatever cannot be
 * known (a register that the unwinder lost, memory that is not mapped, malformed bytes) becomes `unavailable` with its reason.
 * Evaluation is bounded in steps, stack and nesting.
 */

import type { EvaluationPort, Location } from '../debugModel';
import { Malformed } from '../reader';
import { Evaluator } from './evaluator';
import { bareContext, type ExpressionContext, OPTIMIZED_OUT } from './expressionContext';
import { fromBytes, Unavailable } from './operands';

/** Evaluates a location description. `initial` is pushed first (CFA rules). Never throws for what the data says. */
export function evaluateLocation(
  expression: Uint8Array,
  port: EvaluationPort,
  context: ExpressionContext = bareContext,
  initial?: bigint,
): Location {
  if (expression.length === 0) return OPTIMIZED_OUT;
  try {
    return new Evaluator(port, context, initial).run(expression);
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', reason: error.message };
    if (error instanceof Malformed) return { kind: 'unavailable', reason: `bad location: ${error.message}` };
    throw error;
  }
}

/** Evaluates an expression whose result is a number (CFA, frame base, call site value); undefined when unavailable. */
export function evaluateNumber(
  expression: Uint8Array,
  port: EvaluationPort,
  context: ExpressionContext = bareContext,
  initial?: bigint,
): bigint | undefined {
  const location = evaluateLocation(expression, port, context, initial);
  switch (location.kind) {
    case 'address':
      return location.address;
    case 'register':
      return port.register(location.register);
    case 'value':
      return fromBytes(location.bytes.subarray(0, 8));
    default:
      return undefined;
  }
}
