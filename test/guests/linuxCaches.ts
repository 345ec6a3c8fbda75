/** What Linux tells of caches in /sys, and what it should tell by the machine's configuration. */
import type { MachineConfig } from '../../src/machine/config';
import type { CacheGeometry } from '../../src/memory/types';

const FILES = ['level', 'type', 'size', 'coherency_line_size', 'number_of_sets', 'ways_of_associativity'];

/** Typed at the shell: a line for each cache of each CPU. */
export const CACHES = `cd /sys/devices/system/cpu; for i in cpu*/cache/index*; do echo $i $(cd $i; cat ${FILES.join(' ')}); done; cd /`;

const line = (cpu: number, index: number, level: number, type: string, cache: CacheGeometry): string => {
  const { sets, ways, lineBytes } = cache;
  return `cpu${cpu}/cache/index${index} ${level} ${type} ${(sets * ways * lineBytes) / 1024}K ${lineBytes} ${sets} ${ways}`;
};

/** One line a cache, sorted: out of the answer, or as a configuration asks for. Linux lists the data cache first. */
export function cacheLines(source: string | MachineConfig): string[] {
  if (typeof source === 'string')
    return source
      .split('\n')
      .filter((text) => /^cpu\d+\/cache/.test(text))
      .sort();
  const { cores, clusters } = source;
  const lines = cores.flatMap((core, cpu) => {
    const l2 = clusters[core.cluster];
    const first = [line(cpu, 0, 1, 'Data', core.l1d), line(cpu, 1, 1, 'Instruction', core.l1i)];
    return l2 ? [...first, line(cpu, 2, 2, 'Unified', l2)] : first;
  });
  return lines.sort();
}
