/** Policies as launch configurations have them: a list of NAME=VALUE. */
import type { PolicyRow } from '../protocol/views';

/**
 * A configuration's list with one policy another; what the release does anyway is left out, unless the machine file may say
 * otherwise: then the list did not have it.
 */
export function withPolicy(
  list: unknown,
  { name, released }: Pick<PolicyRow, 'name' | 'released'>,
  value: string,
): string[] {
  const given = Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : [];
  const others = given.filter((item) => !item.startsWith(`${name}=`));
  return value === released && others.length < given.length ? others : [...others, `${name}=${value}`];
}
