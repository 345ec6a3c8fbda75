/** Virtio entropy device (Virtual I/O Device specification, "Entropy Device"): bytes of a seeded sequence, so that runs repeat. */
import { SeededRandom } from '../../base/random';
import { drain, type VirtioModel, type VirtioPorts } from './model';

/** Most bytes given at once. */
const MOST = 65536;

export class VirtioEntropy implements VirtioModel {
  readonly id = 4;
  readonly queues = 1;
  readonly features = 0;
  private readonly state = new Uint32Array(1);
  private readonly random = new SeededRandom(this.state);
  private ports: VirtioPorts | undefined;

  constructor(private readonly seed: number) {
    this.random.seed(seed);
  }

  config(): Uint8Array {
    return new Uint8Array(0);
  }
  connect(ports: VirtioPorts): void {
    this.ports = ports;
  }
  /** A driver's reset does not begin the sequence again. */
  reset(): void {}

  notify(): void {
    drain(this.ports, 0, (chain) => {
      const bytes = new Uint8Array(Math.min(MOST, chain.writableBytes));
      for (let i = 0; i < bytes.length; i++) bytes[i] = this.random.next() >>> 24;
      chain.write(bytes);
      return true;
    });
  }

  save(): number[] {
    return [...this.state];
  }
  load(state: unknown): void {
    this.state.set(state as number[]);
  }
}
