/** Elements in one expression. Attributes only: the page's policy allows no inline styles and no inline scripts. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** Sets, or with `undefined` or `false` removes; `true` is the empty attribute. */
export function setAttribute(on: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) on.removeAttribute(name);
  else if (on.getAttribute(name) !== (value === true ? '' : String(value))) {
    on.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A codicon that says nothing by itself. */
export const icon = (name: string): HTMLElement =>
  element('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
