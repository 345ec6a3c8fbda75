/**
 * What an exception handler's entry code has saved, found by walking it: from a slot of the vector table along straight code and
 * unconditional branches up to where the core is. This is how registers of an interrupted program are found in handlers
 * without call frame information. Only moves of the stack pointer, saves relative to it and restores are understood; anything
 * else just makes its destination unknown.
 */
import { type Decoded, decodeWord } from '../isa';

const SLOTS = 16;
const SLOT_BYTES = 0x80;
const WALK_LIMIT = 400;
const SP = 31;
/** Registers that a called function may change (AAPCS64). */
const CALL_CLOBBERS = [...Array.from({ length: 18 }, (_, n) => n), 30];

export type SavedName = number | 'elr' | 'spsr' | 'sp0';

/** State of the entry code at the point that was asked for. */
export interface StubState {
  /** 0 to 15: kind is `slot % 4` (synchronous, IRQ, FIQ, SError). */
  readonly slot: number;
  /** The handler's stack pointer minus that at the vector. */
  readonly spDelta: bigint;
  /** Offset from the stack pointer at the vector. */
  readonly saved: ReadonlyMap<SavedName, bigint>;
  /** General registers that no longer hold what they held at the vector. */
  readonly lost: ReadonlySet<number>;
}

export type ReadWord = (address: bigint) => number | undefined;

const signed = (value: number, bits: number): bigint => BigInt.asIntN(bits, BigInt(value));

/** Calls `visit` with each address that straight code and unconditional branches lead to, until it says stop. */
function walkCode(start: bigint, read: ReadWord, visit: (pc: bigint, decoded: Decoded) => 'on' | 'stop'): void {
  let pc = start;
  for (let i = 0; i < WALK_LIMIT; i++) {
    const word = read(pc);
    const decoded = word === undefined ? undefined : decodeWord(word);
    if (decoded === undefined || visit(pc, decoded) === 'stop') return;
    const { row, fields } = decoded;
    if (row.effect === 'eret' || row.effect === 'return' || row.id === 'BR') return;
    pc = row.id === 'B' ? BigInt.asUintN(64, pc + signed(fields.imm26, 26) * 4n) : pc + 4n;
  }
}

class Walk {
  private delta = 0n;
  private readonly saved = new Map<SavedName, bigint>();
  private readonly lost = new Set<number>();
  /** What a register holds instead: a system register read before it is stored. */
  private readonly holds = new Map<number, SavedName>();

  constructor(private readonly read: ReadWord) {}

  /** Undefined when `goal` is not met on the way. */
  run(start: bigint, goal: bigint, slot: number): StubState | undefined {
    let met = false;
    walkCode(start, this.read, (pc, { row, fields }) => {
      met = pc === goal;
      if (met) return 'stop';
      this.execute(row.id, row.effect, fields);
      return 'on';
    });
    return met ? { slot, spDelta: this.delta, saved: this.saved, lost: this.lost } : undefined;
  }

  private execute(id: string, effect: string, f: Readonly<Record<string, number>>): void {
    if ((id === 'SUB_imm' || id === 'ADD_imm') && f.Rd === SP && f.Rn === SP) {
      const amount = BigInt(f.imm12) << (f.sh === 1 ? 12n : 0n);
      this.delta += id === 'SUB_imm' ? -amount : amount;
    } else if (/^(STP|LDP)_(off|pre|post)$/.test(id) && f.Rn === SP && f.sf === 1) {
      const offset = signed(f.imm7, 7) * 8n;
      this.transfer(id, offset, [f.Rt, f.Rt2]);
    } else if (/^(STR|LDR)_imm_(uoff|pre|post)$/.test(id) && f.Rn === SP && f.size === 3) {
      const offset = id.endsWith('uoff') ? BigInt(f.imm12) * 8n : signed(f.imm9, 9);
      this.transfer(id, offset, [f.Rt]);
    } else if (id === 'MRS') this.readsSystem(f);
    else if (effect === 'call') for (const n of CALL_CLOBBERS) this.lose(n);
    else {
      if (f.Rd !== undefined && f.Rd !== SP) this.lose(f.Rd);
      if (effect === 'load' || effect === 'loadstore') for (const n of [f.Rt, f.Rt2]) if (n !== undefined) this.lose(n);
    }
  }

  private transfer(id: string, offset: bigint, registers: readonly number[]): void {
    const post = id.endsWith('post');
    const at = this.delta + (post ? 0n : offset);
    registers.forEach((n, i) => {
      if (n === SP) return;
      const place = at + BigInt(8 * i);
      if (id.startsWith('ST')) this.save(n, place);
      else if (this.saved.get(n) === place) {
        this.lost.delete(n);
        this.holds.delete(n);
      } else this.lose(n);
    });
    if (post || id.endsWith('pre')) this.delta += offset;
  }

  private save(n: number, place: bigint): void {
    const what = this.holds.get(n) ?? (this.lost.has(n) ? undefined : n);
    for (const [name, at] of this.saved) if (at === place) this.saved.delete(name);
    if (what !== undefined) this.saved.set(what, place);
  }

  private lose(n: number): void {
    this.lost.add(n);
    this.holds.delete(n);
  }

  /** MRS of ELR_ELx, SPSR_ELx or SP_EL0: op0 = 3, CRn = 4. */
  private readsSystem(f: Readonly<Record<string, number>>): void {
    this.lose(f.Rt);
    if (f.CRn !== 4) return;
    if (f.CRm === 0 && f.op2 === 1) this.holds.set(f.Rt, 'elr');
    else if (f.CRm === 0 && f.op2 === 0) this.holds.set(f.Rt, 'spsr');
    else if (f.CRm === 1 && f.op2 === 0) this.holds.set(f.Rt, 'sp0');
  }
}

/** Where each slot's code branches to, unconditionally and without linking: the handlers' entries. */
export function branchTargets(vbar: bigint, read: ReadWord): readonly bigint[] {
  const targets = new Set<bigint>();
  for (let slot = 0; slot < SLOTS; slot++) {
    const start = slotStart(vbar, slot);
    walkCode(start, read, (pc) => {
      if (pc >= start && pc < start + BigInt(SLOT_BYTES)) return 'on';
      if (pc < vbar || pc >= vbar + 0x800n) targets.add(pc);
      return 'stop';
    });
  }
  return [...targets];
}

/** Every address of entry code, with the slots that lead there. Exceptions from lower levels come first. */
export function entryCode(vbar: bigint, read: ReadWord): ReadonlyMap<bigint, readonly number[]> {
  const slots = new Map<bigint, number[]>();
  for (const slot of [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15]) {
    walkCode(slotStart(vbar, slot), read, (pc) => {
      const list = slots.get(pc);
      if (list?.includes(slot)) return 'stop'; // a loop
      if (list) list.push(slot);
      else slots.set(pc, [slot]);
      return 'on';
    });
  }
  return slots;
}

const slotStart = (vbar: bigint, slot: number): bigint => vbar + BigInt(slot * SLOT_BYTES);

/** The entry code's state where it reaches `pc` from a slot; undefined when it does not. */
export function stubState(vbar: bigint, slot: number, pc: bigint, read: ReadWord): StubState | undefined {
  return new Walk(read).run(slotStart(vbar, slot), pc, slot);
}
