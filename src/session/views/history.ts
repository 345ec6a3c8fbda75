/**
 * What views were shown at the stop before, to mark what changed since. Only what was asked for is kept; a key that was never
 * shown before is not marked.
 */
export class History {
  private before = new Map<string, string>();
  private now = new Map<string, string>();

  /** Records the state of `key` and says whether it was another at the stop before. */
  changed(key: string, state: string): boolean {
    this.now.set(key, state);
    const old = this.before.get(key);
    return old !== undefined && old !== state;
  }

  /** The guest moves on: what is recorded now becomes what was before. */
  advance(): void {
    for (const [key, state] of this.now) this.before.set(key, state);
    this.now = new Map();
  }

  clear(): void {
    this.before = new Map();
    this.now = new Map();
  }
}
