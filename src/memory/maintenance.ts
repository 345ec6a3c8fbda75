/**
 * DC and IC operations. Scope (manual: The scope of cache maintenance instructions): operations by VA reach every cache of the
 * Inner Shareable domain, in each the line that contains the address, be it larger or smaller than the issuing core's; by
 * set/way only this core's L1D (level 1) or outer cache (level 2); IC IALLU this core, IC IALLUIS all; IC IVAU all, or this
 * core alone for Non-shareable memory. They act whatever SCTLR.C and .I say and whatever the memory type.
 *
 * Permissions: DC IVAC needs write permission and hits watchpoints, DC by VA at EL0 read permission; the rest of them and
 * IC IVAU fault on translation only. Traps and upgrades (FB, SWIO, DC, VM) are the caller's.
 */

import type { SystemOperationRow } from '../arch/sysops/types';
import { bug } from '../base/errors';
import type { Checker } from './checker';
import { Counter } from './counters';
import type { DataAccess } from './dataAccess';
import type { DataCache, DataCaches } from './dataCaches';
import { type InstructionCaches, vmidTag } from './instructionCaches';
import { Remover } from './removers';
import { Dir, type Shared } from './shared';
import { NO_LINE } from './tags';
import { Access } from './translator';

const NON_SHAREABLE = 0;
const TWO32 = 2 ** 32;

export class Maintenance {
  private readonly allCores: number;

  constructor(
    private readonly shared: Shared,
    private readonly data: DataCaches,
    private readonly instructions: InstructionCaches,
    private readonly access: DataAccess,
    private readonly checker: Checker | undefined,
  ) {
    this.allCores = (1 << shared.cores) - 1;
  }

  maintain(core: number, row: SystemOperationRow, vaHi: number, vaLo: number, el: number): 0 | 1 {
    const { shared } = this;
    shared.count(core, Counter.maintenance);
    shared.penalty(core, shared.cost.maintenance);
    if (row.kind === 'IC') return this.instruction(core, row, vaHi >>> 0, vaLo >>> 0);
    if (row.kind !== 'DC' || row.action === undefined) bug(`${row.name} is no cache maintenance`);
    if (row.action === 'zero') return this.access.zero(core, vaHi, vaLo);
    if (row.operand === 'setway') this.setWay(core, row.action, vaLo >>> 0);
    else return this.byAddress(core, row, vaHi >>> 0, vaLo >>> 0, el);
    return 0;
  }

  /**
   * As `maintain` on `count` addresses from `va` on, `stride` bytes apart: the same effects, counts and costs. Where no address
   * is translated, only units that a cache holds are looked at one by one; a checker hears of all.
   */
  maintainRange(core: number, row: SystemOperationRow, va: number, count: number, stride: number, el: number): void {
    const { shared } = this;
    const first = this.plainRange(core, va, count, stride);
    if (row.operand !== 'va' || row.action === 'zero' || first < 0) {
      for (let at = va, n = count; n > 0; at += stride, n--)
        this.maintain(core, row, Math.floor(at / TWO32), at >>> 0, el);
      return;
    }
    shared.add(core, Counter.maintenance, count);
    shared.penalty(core, shared.cost.maintenance * count);
    if (row.kind === 'IC') this.instructionRange(core, first, va, count, stride);
    else this.dataRange(core, row, first, count, stride);
  }

  /** Linear-memory address of a range that is RAM as a whole and is not translated; else -1. */
  private plainRange(core: number, va: number, count: number, stride: number): number {
    const { shared } = this;
    const { mmu, stage2 } = shared.ports.context(core);
    if (mmu || stage2) return -1;
    const first = shared.hostOf(va);
    const bytes = (count - 1) * stride;
    return first >= 0 && shared.hostOf(va + bytes) === first + bytes ? first : -1;
  }

  private dataRange(core: number, row: SystemOperationRow, first: number, count: number, stride: number): void {
    const { shared, data, checker } = this;
    const { directory } = shared;
    this.broadcast(core, count);
    const toC = row.to !== 'PoU';
    const cleans = row.action !== 'invalidate';
    for (let host = first, n = count; n > 0; host += stride, n--) {
      const unit = shared.unitOf(host);
      const held = (directory[unit] & (Dir.L1D | Dir.L2)) !== 0;
      if (cleans && held) data.cleanUnit(unit, toC);
      if (cleans) checker?.cleaned(core, host, toC);
      else checker?.data.invalidating(core, unit);
      if (row.action !== 'clean' && held) data.invalidateUnit(unit);
    }
  }

  /** Addresses that are not translated are Outer Shareable: all cores are reached. */
  private instructionRange(core: number, first: number, va: number, count: number, stride: number): void {
    const { shared, instructions, checker } = this;
    const { directory } = shared;
    const vmid = vmidTag(shared.ports.context(core));
    this.message(core, count);
    for (let i = 0; i < count; i++) {
      const host = first + i * stride;
      if ((directory[shared.unitOf(host)] & Dir.L1I) !== 0)
        for (let e = 0; e < shared.cores; e++)
          instructions.invalidateAddress(e, host, (va + i * stride) >>> 0, vmid, Remover.invalidate);
      checker?.invalidated(core, host, this.allCores);
    }
  }

  private broadcast(core: number, count = 1): void {
    this.shared.penalty(core, this.shared.cost.perCore * (this.shared.cores - 1) * count);
  }

  /** A broadcast that other cores have to act on, where there are any. */
  private message(core: number, count = 1): void {
    const { shared } = this;
    this.broadcast(core, count);
    if (shared.cores > 1) shared.penalty(core, shared.cost.dvm * count);
  }

  /** Translates the operand. Linear-memory address, -1 nothing there, -2 fault. */
  private hostFor(core: number, hi: number, lo: number, access: Access): number {
    const { ports } = this.shared;
    const { fault } = this.access;
    if (ports.translator.translate(core, ports.context(core), hi, lo, access, false))
      return this.shared.hostOf(ports.translator.result.pa);
    fault.copy(ports.translator.fault);
    fault.cacheMaintenance = true;
    fault.write = true; // ESR_ELx.WnR reads as 1 for cache maintenance
    this.access.faultHi = hi;
    this.access.faultLo = lo;
    return -2;
  }

  private byAddress(core: number, row: SystemOperationRow, hi: number, lo: number, el: number): 0 | 1 {
    const wanted = row.action === 'invalidate' ? Access.Write : el === 0 ? Access.Read : Access.Maintenance;
    const host = this.hostFor(core, hi, lo, wanted);
    if (host === -2) return 1;
    if (row.action === 'invalidate' && this.access.invalidateWatched(core, hi, lo) !== 0) return 1;
    this.broadcast(core);
    if (host < 0) return 0;
    const unit = this.shared.unitOf(host);
    const toC = row.to !== 'PoU';
    if (row.action !== 'invalidate') {
      this.data.cleanUnit(unit, toC);
      this.checker?.cleaned(core, host, toC);
    }
    if (row.action === 'invalidate') this.checker?.data.invalidating(core, unit);
    if (row.action !== 'clean') this.data.invalidateUnit(unit);
    return 0;
  }

  private setWay(core: number, action: 'clean' | 'invalidate' | 'clean+invalidate', operand: number): void {
    const level = (operand >>> 1) & 7;
    this.checker?.data.setWay(core);
    const k = this.data.outer[core];
    if (level === 0) this.setWayOf(this.data.l1[core], operand, (way) => this.l1SetWay(core, way, action));
    else if (level === 1 && k >= 0) this.setWayOf(this.data.l2[k], operand, (way) => this.l2SetWay(k, way, action));
  }

  /** Decodes set and way; values beyond the geometry do nothing. */
  private setWayOf(cache: DataCache, operand: number, act: (way: number) => void): void {
    const wayBits = cache.ways === 1 ? 0 : 32 - Math.clz32(cache.ways - 1);
    const way = wayBits === 0 ? 0 : operand >>> (32 - wayBits);
    const setBits = 31 - Math.clz32(cache.sets);
    const set = (operand >>> cache.lineLog2) & ((1 << setBits) - 1);
    if (way >= cache.ways || cache.tag[set * cache.ways + way] === NO_LINE) return;
    act(set * cache.ways + way);
  }

  private l1SetWay(core: number, way: number, action: 'clean' | 'invalidate' | 'clean+invalidate'): void {
    if (action !== 'invalidate') this.data.cleanL1(core, way, false);
    if (action !== 'clean') this.data.invalidateL1(core, way);
  }

  private l2SetWay(k: number, way: number, action: 'clean' | 'invalidate' | 'clean+invalidate'): void {
    if (action !== 'invalidate') this.data.cleanL2(k, way);
    if (action !== 'clean') this.data.invalidateL2(k, way);
  }

  private instruction(core: number, row: SystemOperationRow, hi: number, lo: number): 0 | 1 {
    const { shared, instructions, checker } = this;
    const vmid = vmidTag(shared.ports.context(core));
    if (row.operand === 'none') {
      const cores = row.shareable ? this.allCores : 1 << core;
      if (row.shareable) this.message(core);
      for (let e = 0; e < shared.cores; e++)
        if ((cores >>> e) & 1) instructions.invalidateAll(e, vmid, Remover.invalidate);
      checker?.invalidatedAll(core, cores);
      return 0;
    }
    const host = this.hostFor(core, hi, lo, Access.Maintenance);
    if (host === -2) return 1;
    const own = shared.ports.translator.result.shareability === NON_SHAREABLE;
    const cores = own ? 1 << core : this.allCores;
    if (!own) this.message(core);
    if (host < 0) return 0;
    for (let e = 0; e < shared.cores; e++)
      if ((cores >>> e) & 1) instructions.invalidateAddress(e, host, lo, vmid, Remover.invalidate);
    checker?.invalidated(core, host, cores);
    return 0;
  }
}
