/**
 * Runs a guest on Debian's QEMU, for comparison: the same board with the same levels as elscope's `--el`. QEMU has no
 * caches, so whatever depends on their contents differs by design.
 */
import { spawn } from 'node:child_process';
import { onPath } from '../../src/build/processes';

export interface QemuRun {
  readonly kernel?: string;
  readonly bios?: string;
  /** Highest implemented level, at which the guest is entered. */
  readonly el: 1 | 2 | 3;
  readonly cpus?: number;
  readonly cpu?: string;
  /** As QEMU takes it, e.g. '1G'. Default 128M. */
  readonly memory?: string;
  /** Typed when its text has appeared after the previous one; `type` with \n. */
  readonly dialogue?: readonly { readonly expect: string; readonly type: string }[];
  /** Ends the run when this text appears after the dialogue. */
  readonly until?: string;
  /** Killed, with an error, after this long. Default 60. */
  readonly seconds?: number;
  readonly extra?: readonly string[];
}

export interface QemuResult {
  readonly code: number;
  readonly console: string;
}

export const hasQemu = (): boolean => onPath('qemu-system-aarch64') !== undefined;

export function qemuArguments(run: QemuRun): string[] {
  const machine = `virt${run.el >= 2 ? ',virtualization=on' : ''}${run.el === 3 ? ',secure=on' : ''}`;
  const args = ['-M', machine, '-cpu', run.cpu ?? 'cortex-a57', '-m', run.memory ?? '128M', '-smp', `${run.cpus ?? 1}`];
  args.push('-nodefaults', '-display', 'none', '-serial', 'stdio', '-semihosting');
  if (run.kernel) args.push('-kernel', run.kernel);
  if (run.bios) args.push('-bios', run.bios);
  return [...args, ...(run.extra ?? [])];
}

/** Runs to the guest's own end, or to `until`. */
export function runOnQemu(run: QemuRun): Promise<QemuResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-aarch64', qemuArguments(run), { stdio: ['pipe', 'pipe', 'pipe'] });
    const limit = run.seconds ?? 60;
    const steps = [...(run.dialogue ?? [])];
    let console = '';
    let errors = '';
    let seen = 0; // console text up to here has been matched
    let ended = false;
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`QEMU did not end within ${limit} s; it printed:\n${console.slice(-2000)}`));
    }, limit * 1000);
    const advance = (): void => {
      while (steps.length > 0) {
        const at = console.indexOf(steps[0].expect, seen);
        if (at < 0) return;
        seen = at + steps[0].expect.length;
        child.stdin.write(steps.shift()?.type ?? '');
      }
      if (run.until !== undefined && console.indexOf(run.until, seen) >= 0 && !ended) {
        ended = true;
        child.kill('SIGTERM');
      }
    };
    child.stdout.on('data', (chunk: Buffer) => {
      console += chunk.toString('latin1');
      advance();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.stdin.on('error', () => {}); // the guest may end while something is typed
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (errors && !ended && code !== 0 && console === '') reject(new Error(errors.trim()));
      else resolve({ code: ended ? 0 : (code ?? 128), console });
    });
  });
}
