/** Lines of the C fixture by their text. */
import { readFileSync } from 'node:fs';
import { fixturePath } from './programs';

const tourSource = readFileSync(fixturePath('tour.c'), 'utf8').split('\n');
/** The line of tour.c (counted from 1) that holds the text, so that tests survive changes of the fixture. */
export function tourLine(text: string): number {
  const index = tourSource.findIndex((line) => line.includes(text));
  if (index < 0) throw new Error(`tour.c has no "${text}"`);
  return index + 1;
}
