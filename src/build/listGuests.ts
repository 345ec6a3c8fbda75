/** `npm run guests`: fetches every guest that the tests use, and prints where each is. */
import { edk2, installer, kernelVersions, laterQemuUser, linuxKernel, uBoot, uBootVersions } from './guests';
import { initrd, nestedInitrd, perfInitrd } from './initrd';

async function main(): Promise<void> {
  const show = (what: string, file: string): void => console.log(`${what.padEnd(28)} ${file}`);
  for (const version of uBootVersions) show(`U-Boot ${version}`, await uBoot(version));
  for (const release of [12, 13] as const) show(`EDK2 of Debian ${release}`, await edk2(release));
  for (const version of kernelVersions) show(`Linux ${version}`, await linuxKernel(version));
  const { kernel, initrd: disk } = await installer();
  show('installer of Debian 12', kernel);
  show('its RAM disk', disk);
  show('RAM disk with busybox', await initrd());
  show('RAM disk with perf', await perfInitrd());
  show('RAM disk with a KVM guest', await nestedInitrd('6.1-cloud'));
  show('qemu-aarch64 of Debian 13', await laterQemuUser());
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
