/** Time and turns on Node: slices give way to messages by setImmediate. */
import { performance } from 'node:perf_hooks';
import type { Scheduler } from '../session';

export const nodeScheduler: Scheduler = {
  now: () => performance.now(),
  later: (work, delay) => {
    if (delay === undefined) setImmediate(work);
    else setTimeout(work, delay);
  },
};
