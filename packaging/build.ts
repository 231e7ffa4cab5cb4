// `npm run build`: dist/, which bin/posthorn.js prefers to src/.

import { join } from 'node:path'
import { compile, root } from './compile.ts'

compile(join(root, 'dist'))
