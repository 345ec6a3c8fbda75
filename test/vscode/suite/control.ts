/**
 * What tests inside the extension host may ask of the runner outside. The runner answers on `$ELSCOPE_TEST_CONTROL`;
 * where there is none (a desktop VS Code), the requests do nothing.
 */
const url = process.env.ELSCOPE_TEST_CONTROL;

/** Keeps a picture of the workbench as `<name>.png` among the artefacts. @returns whether there was one to ask. */
export async function screenshot(name: string): Promise<boolean> {
  if (!url) return false;
  const response = await fetch(`${url}/screenshot?name=${encodeURIComponent(name)}`);
  if (!response.ok) throw new Error(`screenshot ${name}: ${await response.text()}`);
  return true;
}
