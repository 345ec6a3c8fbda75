/** Virtio 9P transport (Virtual I/O Device specification, "9P Transport"): messages of a shared folder in one queue. */
import { encodeUtf8 } from '../../base/utf8';
import { configBytes, drain, type VirtioModel, type VirtioPorts } from './model';
import { NinepServer, type SharedFolder } from './ninepServer';

const Feature = { MountTag: 0 } as const;
/** More than any message that was agreed on. */
const MOST = 2 ** 20;

export class VirtioNinep implements VirtioModel {
  readonly id = 9;
  readonly queues = 1;
  readonly features = 1 << Feature.MountTag;
  private readonly server: NinepServer;
  private ports: VirtioPorts | undefined;

  constructor(
    private readonly tag: string,
    folder: SharedFolder,
  ) {
    this.server = new NinepServer(folder);
  }

  config(): Uint8Array {
    const tag = encodeUtf8(this.tag);
    return Uint8Array.from([...configBytes([tag.length, 2]), ...tag]);
  }
  connect(ports: VirtioPorts): void {
    this.ports = ports;
  }
  reset(): void {
    this.server.reset();
  }

  notify(): void {
    drain(this.ports, 0, (chain) => {
      const request = chain.read(0, MOST);
      const answer = request && this.server.answer(request);
      if (answer !== undefined && answer.length <= chain.writableBytes) chain.write(answer);
      return true;
    });
  }

  save(): unknown {
    return this.server.save();
  }
  load(state: unknown): void {
    this.server.load(state);
  }
}
