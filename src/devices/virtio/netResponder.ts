/**
 * The one host on the network card's wire, with the addresses of QEMU's user network: 10.0.2.2 answers ARP, ping, UDP on the
 * echo port (RFC 862) and DHCP (RFC 2131; it gives 10.0.2.15), and refuses TCP connections. Nothing leaves the machine, and
 * the answers depend on the frames alone.
 */

export const HOST_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
const HOST = [10, 0, 2, 2] as const;
const GUEST = [10, 0, 2, 15] as const;
const NETMASK = [255, 255, 255, 0] as const;
const BROADCAST = [255, 255, 255, 255] as const;

const EtherType = { IPv4: 0x0800, Arp: 0x0806 } as const;
const Protocol = { Icmp: 1, Tcp: 6, Udp: 17 } as const;
const ECHO_PORT = 7;
const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;
const ETHERNET_BYTES = 14;
const IP_BYTES = 20;
const UDP_BYTES = 8;
const TTL = 64;

const word16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];
const two = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const same = (bytes: Uint8Array, at: number, address: readonly number[]): boolean =>
  address.every((byte, i) => bytes[at + i] === byte);

/** Internet checksum (RFC 1071) of bytes in network order. */
export function internetChecksum(...parts: readonly ArrayLike<number>[]): number {
  let sum = 0;
  for (const bytes of parts)
    for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (i + 1 < bytes.length ? bytes[i + 1] : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function ethernet(to: ArrayLike<number>, type: number, payload: ArrayLike<number>): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + payload.length);
  frame.set(to);
  frame.set(HOST_MAC, 6);
  frame.set(two(type), 12);
  frame.set(payload, ETHERNET_BYTES);
  return frame;
}

/** An IPv4 packet from the host. */
function ip(to: ArrayLike<number>, protocol: number, payload: ArrayLike<number>): number[] {
  const header = [0x45, 0, ...two(IP_BYTES + payload.length), 0, 0, 0, 0, TTL, protocol, 0, 0, ...HOST];
  header.push(...Array.from(to));
  const sum = two(internetChecksum(header));
  header[10] = sum[0];
  header[11] = sum[1];
  return [...header, ...Array.from(payload)];
}

/** `segment` with the checksum at `at` that covers the pseudo header too. */
function summed(segment: number[], at: number, to: ArrayLike<number>, protocol: number): number[] {
  const pseudo = [...HOST, ...Array.from(to), 0, protocol, ...two(segment.length)];
  const sum = internetChecksum(pseudo, segment) || 0xffff;
  segment[at] = sum >> 8;
  segment[at + 1] = sum & 0xff;
  return segment;
}

function udp(to: ArrayLike<number>, from: number, port: number, data: ArrayLike<number>): number[] {
  const datagram = [...two(from), ...two(port), ...two(UDP_BYTES + data.length), 0, 0, ...Array.from(data)];
  return ip(to, Protocol.Udp, summed(datagram, 6, to, Protocol.Udp));
}

function arp(frame: Uint8Array): Uint8Array[] {
  const request = frame.subarray(ETHERNET_BYTES);
  if (request.length < 28 || word16(request, 6) !== 1 || !same(request, 24, HOST)) return [];
  const sender = request.subarray(8, 14);
  const reply = [...request.subarray(0, 6), 0, 2, ...HOST_MAC, ...HOST, ...sender, ...request.subarray(14, 18)];
  return [ethernet(sender, EtherType.Arp, reply)];
}

function icmp(source: Uint8Array, message: Uint8Array): number[][] {
  const ECHO_REQUEST = 8;
  if (message.length < 8 || message[0] !== ECHO_REQUEST) return [];
  const reply = [0, 0, 0, 0, ...message.subarray(4)];
  const sum = two(internetChecksum(reply));
  reply[2] = sum[0];
  reply[3] = sum[1];
  return [ip(source, Protocol.Icmp, reply)];
}

/** Every connection is refused: a reset with the acknowledgement that the caller expects (RFC 9293, section 3.10.7.1). */
function tcp(source: Uint8Array, segment: Uint8Array): number[][] {
  const FLAGS = 13;
  const Flag = { Fin: 1, Syn: 2, Rst: 4, Ack: 16 } as const;
  if (segment.length < 20 || segment[FLAGS] & Flag.Rst) return [];
  const acknowledged = (segment[FLAGS] & Flag.Ack) !== 0;
  const length =
    segment.length - (segment[12] >> 4) * 4 + (segment[FLAGS] & Flag.Syn ? 1 : 0) + (segment[FLAGS] & Flag.Fin);
  const view = new DataView(segment.buffer, segment.byteOffset);
  const next = (view.getUint32(4) + length) >>> 0;
  const four = (value: number): number[] => [...two(value >>> 16), ...two(value & 0xffff)];
  const sequence = acknowledged ? [...segment.subarray(8, 12)] : [0, 0, 0, 0];
  const acknowledgement = acknowledged ? [0, 0, 0, 0] : four(next);
  const reply = [...segment.subarray(2, 4), ...segment.subarray(0, 2), ...sequence, ...acknowledgement];
  reply.push(0x50, acknowledged ? Flag.Rst : Flag.Rst | Flag.Ack, 0, 0, 0, 0, 0, 0);
  return [ip(source, Protocol.Tcp, summed(reply, 16, source, Protocol.Tcp))];
}

// ---- DHCP ----

const Dhcp = { Discover: 1, Offer: 2, Request: 3, Ack: 5 } as const;
const Option = { Netmask: 1, Router: 3, Lease: 51, Type: 53, Server: 54, End: 255 } as const;
const OPTIONS_AT = 240;
const COOKIE = [99, 130, 83, 99] as const;
const ONE_DAY = [0, 1, 0x51, 0x80] as const;

function dhcpOption(message: Uint8Array, wanted: number): number | undefined {
  for (let at = OPTIONS_AT; at + 2 < message.length && message[at] !== Option.End; ) {
    if (message[at] === 0) at++;
    else if (message[at] === wanted) return message[at + 2];
    else at += 2 + message[at + 1];
  }
  return undefined;
}

function dhcp(message: Uint8Array): number[][] {
  if (message.length < OPTIONS_AT || message[0] !== 1 || !same(message, 236, COOKIE)) return [];
  const type = dhcpOption(message, Option.Type);
  if (type !== Dhcp.Discover && type !== Dhcp.Request) return [];
  const reply = new Array<number>(OPTIONS_AT).fill(0);
  const put = (at: number, bytes: ArrayLike<number>): void => {
    for (let i = 0; i < bytes.length; i++) reply[at + i] = bytes[i];
  };
  put(0, [2, ...message.subarray(1, 3)]);
  put(4, message.subarray(4, 8)); // transaction
  put(10, message.subarray(10, 12)); // flags
  put(16, GUEST);
  put(20, HOST);
  put(28, message.subarray(28, 44)); // the client's address
  put(236, COOKIE);
  const option = (code: number, ...data: readonly number[]): void => void reply.push(code, data.length, ...data);
  option(Option.Type, type === Dhcp.Discover ? Dhcp.Offer : Dhcp.Ack);
  option(Option.Server, ...HOST);
  option(Option.Lease, ...ONE_DAY);
  option(Option.Netmask, ...NETMASK);
  option(Option.Router, ...HOST);
  reply.push(Option.End);
  return [udp(BROADCAST, DHCP_SERVER, DHCP_CLIENT, reply)];
}

function datagram(source: Uint8Array, packet: Uint8Array, broadcast: boolean): number[][] {
  if (packet.length < UDP_BYTES) return [];
  const [from, to, length] = [word16(packet, 0), word16(packet, 2), word16(packet, 4)];
  if (length < UDP_BYTES || length > packet.length) return [];
  const data = packet.subarray(UDP_BYTES, length);
  if (to === DHCP_SERVER) return dhcp(data);
  return to === ECHO_PORT && !broadcast ? [udp(source, ECHO_PORT, from, data)] : [];
}

function ipv4(frame: Uint8Array): Uint8Array[] {
  const packet = frame.subarray(ETHERNET_BYTES);
  const headerBytes = (packet[0] & 15) * 4;
  if (packet.length < IP_BYTES || packet[0] >> 4 !== 4 || headerBytes < IP_BYTES) return [];
  const length = word16(packet, 2);
  // Fragments are not put together.
  if (length < headerBytes || length > packet.length || word16(packet, 6) & 0x3fff) return [];
  const broadcast = same(packet, 16, BROADCAST);
  if (!broadcast && !same(packet, 16, HOST)) return [];
  const source = packet.subarray(12, 16);
  const payload = packet.subarray(headerBytes, length);
  const answers = ((): number[][] => {
    switch (packet[9]) {
      case Protocol.Icmp:
        return icmp(source, payload);
      case Protocol.Tcp:
        return tcp(source, payload);
      case Protocol.Udp:
        return datagram(source, payload, broadcast);
      default:
        return [];
    }
  })();
  return answers.map((answer) => ethernet(frame.subarray(6, 12), EtherType.IPv4, answer));
}

/** What the host sends when it gets this frame. */
export function respond(frame: Uint8Array): readonly Uint8Array[] {
  if (frame.length < ETHERNET_BYTES) return [];
  const type = word16(frame, 12);
  if (type === EtherType.Arp) return arp(frame);
  return type === EtherType.IPv4 ? ipv4(frame) : [];
}
