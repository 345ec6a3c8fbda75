import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelPair, type RequestContext, RpcError, RpcPeer } from '../../../src/protocol';

type Asked = {
  readonly add: { readonly params: { a: number; b: number }; readonly result: number };
  readonly fail: { readonly params: object; readonly result: object };
  readonly wait: { readonly params: object; readonly result: string };
  readonly missing: { readonly params: object; readonly result: object };
};

function pair() {
  const [left, right] = channelPair();
  const contexts: RequestContext[] = [];
  const server = new RpcPeer<Asked, Record<string, never>, { tick: number }>(right, {
    add: ({ a, b }) => a + b,
    fail: () => {
      throw new RpcError('refused', 'not today');
    },
    wait: (_, context) => {
      contexts.push(context);
      return new Promise<string>(() => {});
    },
  });
  const client = new RpcPeer<Record<string, never>, Asked, Record<string, never>, { tick: number }>(left, {});
  return { client, server, contexts };
}
const failsWith = (code: string) => (error: unknown) => error instanceof RpcError && error.code === code;

test('a request is answered with its handler’s result', async () => {
  assert.equal(await pair().client.request('add', { a: 2, b: 3 }), 5);
});

test('an unknown message is answered with an error', async () => {
  await assert.rejects(pair().client.request('missing', {}), failsWith('unknownMessage'));
});

test('a name that every object inherits is unknown too', async () => {
  const { client } = pair();
  await assert.rejects(client.request('toString' as 'missing', {}), failsWith('unknownMessage'));
});

test('a failing handler rejects the caller with code and message', async () => {
  await assert.rejects(pair().client.request('fail', {}), (error: unknown) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, 'refused');
    assert.equal(error.message, 'not today');
    return true;
  });
});

test('cancelling rejects the caller and tells the handler', async () => {
  const { client, contexts } = pair();
  const call = client.start('wait', {});
  await client.request('add', { a: 0, b: 0 });
  let told = false;
  contexts[0].onCancel(() => {
    told = true;
  });
  call.cancel();
  await assert.rejects(call.result, failsWith('cancelled'));
  assert.ok(told);
  assert.ok(contexts[0].cancelled);
});

test('closing rejects what is pending and all that comes later', async () => {
  const { client } = pair();
  const pending = client.request('wait', {});
  client.close('worker ended');
  await assert.rejects(pending, failsWith('closed'));
  await assert.rejects(client.request('add', { a: 1, b: 1 }), failsWith('closed'));
});

test('closing the serving end tells its handlers to give up', async () => {
  const { client, server, contexts } = pair();
  client.request('wait', {}).catch(() => {});
  await client.request('add', { a: 0, b: 0 });
  server.close();
  assert.ok(contexts[0].cancelled);
});

test('events reach every listener in order', async () => {
  const { client, server } = pair();
  const seen: number[] = [];
  client.on('tick', (n) => seen.push(n));
  client.on('tick', (n) => seen.push(n * 10));
  server.event('tick', 1);
  server.event('tick', 2);
  await client.request('add', { a: 0, b: 0 });
  assert.deepEqual(seen, [1, 10, 2, 20]);
});

test('garbage on the channel is ignored', async () => {
  const [left, right] = channelPair();
  const client = new RpcPeer<Record<string, never>, Asked>(left, {});
  new RpcPeer<Asked, Record<string, never>>(right, { add: ({ a, b }) => a + b });
  for (const garbage of [undefined, null, 3, 'x', {}, { kind: 'reply', id: 99 }, { kind: 'cancel', id: 7 }]) {
    right.post(garbage as never);
    left.post(garbage as never);
  }
  assert.equal(await client.request('add', { a: 1, b: 1 }), 2);
});
