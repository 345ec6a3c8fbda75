/** Runs a sample and prints the hash of the machine's state at its end: a process of its own, for other settings of V8. */
import { MAX_INSTRUCTIONS, sampleOn, stateHash } from './samples';

const [sample, preset, cpus, seed] = process.argv.slice(2);
const { machine, text } = sampleOn(sample, preset, Number(cpus), { seed: Number(seed), checker: 'actual' });
const stop = machine.run(MAX_INSTRUCTIONS);
console.log(JSON.stringify({ stop, text: text(), instructions: machine.instructions(), hash: stateHash(machine) }));
