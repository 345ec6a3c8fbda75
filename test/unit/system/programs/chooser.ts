/** Random choices of a program's steps, from a seed. */
import { SeededRandom } from '../../../../src/base/random';
import type { Step } from '../program';

export class Chooser {
  private readonly random = new SeededRandom(new Uint32Array(1));
  constructor(seed: number) {
    this.random.seed(seed);
  }
  below(n: number): number {
    return this.random.next() % n;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

export const many = (count: number, make: () => Step[]): Step[] => Array.from({ length: count }, make).flat();
