/** Reading of apt's source lines, the cache of packages, the one line that says why none could be had; U-Boot's console. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { debianFile, dependencyIn, parseSourceList, parseSourceParagraphs, uBoot } from '../../../src/build/guests';
import { parseTranscript, uBootDialogue } from '../../guests/uboot';

test('the dependency that a package stands for', () => {
  const printed = 'linux-image-arm64\n  Depends: linux-image-6.1.0-50-arm64\n  Depends: other\n';
  assert.equal(dependencyIn(printed, /^linux-image-6\.1\.[-0-9.]+-arm64$/), 'linux-image-6.1.0-50-arm64');
  assert.equal(dependencyIn(printed, /^linux-image-6\.12/), undefined);
});

describe('source lines of apt', () => {
  test('one-line style', () => {
    const text = [
      '# deb http://commented.example/debian bookworm main',
      'deb-src http://source.example/debian bookworm main',
      'deb http://security.example/debian-security bookworm-security main',
      'deb [arch=amd64] http://tools.example stable contrib',
      'deb [arch=amd64 signed-by=/keys/debian.gpg] http://archive.example/debian bookworm main contrib',
    ].join('\n');
    assert.deepEqual(parseSourceList(text), { uri: 'http://archive.example/debian', signedBy: '/keys/debian.gpg' });
    assert.deepEqual(parseSourceList('deb http://a.example/debian/ trixie main\n'), {
      uri: 'http://a.example/debian/',
      signedBy: undefined,
    });
    assert.equal(parseSourceList('deb http://a.example/ubuntu noble main'), undefined);
  });

  test('paragraph style', () => {
    const paragraph = (uri: string, suites: string, more = ''): string =>
      `Types: deb\n# a remark\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\n${more}`;
    const text = [
      paragraph('http://security.example/debian-security', 'bookworm-security'),
      paragraph('http://off.example/debian', 'bookworm', 'Enabled: no\n'),
      paragraph('http://archive.example/debian', 'bookworm bookworm-updates', 'Signed-By: /keys/debian.gpg\n'),
    ].join('\n');
    assert.deepEqual(parseSourceParagraphs(text), {
      uri: 'http://archive.example/debian',
      signedBy: '/keys/debian.gpg',
    });
    assert.equal(parseSourceParagraphs(paragraph('http://a.example', 'noble')), undefined);
  });
});

describe('packages', () => {
  const saved = { ...process.env };
  let cache = '';
  beforeEach(() => {
    cache = mkdtempSync(path.join(tmpdir(), 'elscope-guests-'));
    process.env.ELSCOPE_CACHE = cache;
  });
  afterEach(() => {
    process.env = { ...saved };
    rmSync(cache, { recursive: true, force: true });
  });

  test('what is in the cache is not asked for again', async () => {
    const directory = path.join(cache, 'guests', 'trixie-u-boot-qemu', 'usr/lib/u-boot/qemu_arm64');
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'u-boot.bin'), 'x');
    process.env.PATH = ''; // no apt-get to be found
    assert.equal(await uBoot('2025.01'), path.join(directory, 'u-boot.bin'));
    await assert.rejects(debianFile(13, 'u-boot-qemu', 'no/such/file'), /Debian 13: it has no no\/such\/file$/);
  });

  const oneLine = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError &&
    error.code === 'guest.download' &&
    pattern.test(error.message) &&
    !/\n/.test(error.message);

  test('a machine without apt is told so in one line', async () => {
    process.env.PATH = '';
    await assert.rejects(
      uBoot('2023.01'),
      oneLine(/cannot get the package u-boot-qemu of Debian 12: there is no apt-get/),
    );
  });

  test('an archive that does not answer is one line, and leaves nothing behind', async (t) => {
    if (!existsSync('/usr/bin/apt-get')) return t.skip('no apt-get here');
    process.env.ELSCOPE_DEBIAN_MIRROR = `file://${cache}/no-such-archive`;
    await assert.rejects(uBoot('2023.01'), oneLine(/^cannot get the package u-boot-qemu of Debian 12: .+/));
    assert.deepEqual(readdirSync(path.join(cache, 'guests')), []);
  });
});

describe("U-Boot's console", () => {
  const commands = ['crc32 0 4', 'md.l 0 1'];
  const console = [
    'U-Boot 1\r\nHit any key to stop autoboot:  2 \b\b\b 0 \r\n',
    '=> crc32 0 4\r\ncrc32 for 0 ... 3 ==> f89c6f94\r\n',
    '=> md.l 0 1\r\n00000000: 12345678\r\n\r\n',
    '=> ',
  ].join('');

  test('is cut into the answers of its commands', () => {
    assert.deepEqual(parseTranscript(console, commands), {
      banner: 'U-Boot 1\nHit any key to stop autoboot:  2  0 ',
      answers: [
        { command: commands[0], lines: ['crc32 for 0 ... 3 ==> f89c6f94'] },
        { command: commands[1], lines: ['00000000: 12345678'] },
      ],
    });
  });

  test('with a lost character is refused', () => {
    assert.throws(() => parseTranscript(console.replace('=> md', '=> d'), commands), /"md.l 0 1" was not echoed: "d.l/);
  });

  test('is typed at only at a prompt', () => {
    const [key, first] = uBootDialogue(commands);
    assert.deepEqual(key, { expect: 'Hit any key to stop autoboot', type: '\n' });
    assert.equal('crc32 for 0 ... 3 ==> f89c'.includes(first.expect), false);
    assert.equal(first.type, 'crc32 0 4\n');
  });
});
