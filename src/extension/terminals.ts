/**
 * The guest's UARTs as terminals: one for each UART of a session, opened without taking the focus when the guest first prints.
 * A terminal keeps what the UART wrote since reset, goes on over restarts of its session, and takes input at any time.
 */
import * as vscode from 'vscode';
import { ConsoleLog } from './consoleLog';
import type { Session, Sessions } from './sessions';

const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

class UartTerminal implements vscode.Pseudoterminal {
  private readonly writeEmitter = new vscode.EventEmitter<string>();
  private readonly nameEmitter = new vscode.EventEmitter<string>();
  private readonly log = new ConsoleLog();
  private terminal: vscode.Terminal | undefined;
  private opened = false;

  readonly onDidWrite = this.writeEmitter.event;
  readonly onDidChangeName = this.nameEmitter.event;

  constructor(
    private session: Session | undefined,
    readonly sessionName: string,
    readonly uart: number,
  ) {}

  /** Also after the user has closed it. */
  show(preserveFocus: boolean): void {
    this.terminal ??= vscode.window.createTerminal({
      name: this.uart === 0 ? `UART · ${this.sessionName}` : `UART ${this.uart} · ${this.sessionName}`,
      pty: this,
      iconPath: new vscode.ThemeIcon('debug-console'),
      isTransient: true,
    });
    this.terminal.show(preserveFocus);
  }

  /** Another session of the same name goes on here. */
  attach(session: Session): void {
    this.session = session;
    this.startAnew();
  }

  detach(): void {
    if (!this.session) return;
    this.session = undefined;
    this.write(`\r\n${DIM}The debug session has ended.${PLAIN}\r\n`);
  }

  belongsTo(session: Session): boolean {
    return this.session === session;
  }

  get free(): boolean {
    return this.session === undefined;
  }

  append(text: string): void {
    this.write(this.log.push(text));
  }

  /** History starts again. */
  startAnew(): void {
    this.log.clear();
    // Screen, scrollback, cursor and attributes.
    if (this.opened) this.writeEmitter.fire('\x1bc\x1b[3J');
  }

  open(): void {
    this.opened = true;
    this.writeEmitter.fire(this.log.text);
  }

  close(): void {
    this.opened = false;
    this.terminal = undefined;
  }

  /** A UART knows no size; the lines it wrote are wrapped by the terminal. */
  setDimensions(): void {}

  handleInput(text: string): void {
    const { session } = this;
    if (!session?.state) return;
    session.request('elscope/input', { uart: this.uart, text }).catch((error: Error) => {
      this.write(`\r\n${DIM}${error.message}${PLAIN}\r\n`);
    });
  }

  dispose(): void {
    this.terminal?.dispose();
    this.writeEmitter.dispose();
    this.nameEmitter.dispose();
  }

  private write(text: string): void {
    if (this.opened) this.writeEmitter.fire(text);
  }
}

export class Terminals implements vscode.Disposable {
  private readonly terminals: UartTerminal[] = [];
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly sessions: Sessions) {
    this.subscriptions = [
      sessions.onEvent((event) => {
        if (event.name === 'elscope/console') this.print(event.session, event.body.uart, event.body.text);
        else if (event.name === 'elscope/reset') for (const terminal of this.of(event.session)) terminal.startAnew();
      }),
      sessions.onDidEnd((session) => {
        for (const terminal of this.of(session)) terminal.detach();
      }),
    ];
  }

  /** Opens the terminal of the session's first UART, also before it has printed anything. */
  show(session = this.sessions.current): void {
    if (session) this.find(session, 0).show(false);
  }

  dispose(): void {
    for (const subscription of [...this.subscriptions, ...this.terminals]) subscription.dispose();
  }

  private print(session: Session, uart: number, text: string): void {
    const known = this.of(session).some((terminal) => terminal.uart === uart);
    const terminal = this.find(session, uart);
    terminal.append(text);
    if (!known && session.debug.configuration.console !== 'debugConsole') terminal.show(true);
  }

  private of(session: Session): UartTerminal[] {
    return this.terminals.filter((terminal) => terminal.belongsTo(session));
  }

  private find(session: Session, uart: number): UartTerminal {
    const own = this.of(session).find((terminal) => terminal.uart === uart);
    if (own) return own;
    const left = this.terminals.find(
      (terminal) => terminal.free && terminal.uart === uart && terminal.sessionName === session.name,
    );
    if (left) {
      left.attach(session);
      return left;
    }
    const made = new UartTerminal(session, session.name, uart);
    this.terminals.push(made);
    return made;
  }
}
