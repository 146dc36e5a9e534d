/** The cheater matrix where people leave: mass. */
import { matrixSuite } from './matrix.ts'

matrixSuite('mass')
