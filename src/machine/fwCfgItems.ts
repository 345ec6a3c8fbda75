/** What the firmware configuration device holds, as QEMU's virt fills it: cores, boot settings, and a kernel for firmware. */
import { encodeUtf8 } from '../base/utf8';
import { type FwCfgItems, FwCfgKey, numberItem } from '../devices/fwCfg';

/** A kernel that firmware is to boot. */
export interface FirmwareKernel {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

/** Milliseconds that firmware waits after a failed boot: -1 is for ever. */
const BOOT_FAIL_WAIT = 0xffffffff;

export function fwCfgItems(cores: number, { kernel, initrd, commandLine }: FirmwareKernel): FwCfgItems {
  const numbered = new Map<number, Uint8Array>([
    [FwCfgKey.Uuid, new Uint8Array(16)],
    [FwCfgKey.NoGraphic, numberItem(0, 2)],
    [FwCfgKey.CpuCount, numberItem(cores, 2)],
    [FwCfgKey.BootMenu, numberItem(0, 2)],
  ]);
  const sized = (sizeKey: number, dataKey: number, data: Uint8Array | undefined): void => {
    if (data === undefined) return;
    numbered.set(sizeKey, numberItem(data.length, 4));
    numbered.set(dataKey, data);
  };
  sized(FwCfgKey.KernelSize, FwCfgKey.KernelData, kernel);
  sized(FwCfgKey.InitrdSize, FwCfgKey.InitrdData, initrd);
  if (commandLine !== undefined)
    sized(FwCfgKey.CommandLineSize, FwCfgKey.CommandLineData, encodeUtf8(`${commandLine}\0`));
  const files = new Map([
    ['bios-geometry', new Uint8Array(0)],
    ['bootorder', new Uint8Array(0)],
    ['etc/boot-fail-wait', numberItem(BOOT_FAIL_WAIT, 4)],
  ]);
  return { numbered, files };
}
