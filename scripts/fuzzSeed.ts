/** Loaded before each test file: fast-check draws from the run's seed wherever a test names none. */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['FUZZ_SEED']) })
