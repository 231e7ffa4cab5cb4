// The sentences of fault.ts: for each fault what is wrong and what to do, in English and in Russian,
// without a full stop.

export type FaultDetails = {
  FILE_MISSING: { readonly linkTo?: string }
  FILE_UNREADABLE: {
    readonly us: number
    /** What stands in the way: the file, or a folder above it. */
    readonly path: string
    readonly owner: number
    readonly mode: string
  }
  FILE_FAILED: { readonly why: string }
  FILE_TOO_LARGE: { readonly octets: number }
  FOLDER_EMPTY: object
  WRONG_TYPE: { readonly found: Found; readonly wanted: 'certificate' | 'key' }
  MALFORMED: { readonly what: 'certificate' | 'key'; readonly why: string }
  KEY_ENCRYPTED: object
  KEY_MISSING: object
  KEY_MISMATCH: { readonly key: string; readonly subject: string }
  KEY_UNUSUAL: { readonly type: string }
  KEY_WEAK: { readonly type: string }
  KEY_EXPOSED: { readonly mode: string }
  SIGNATURE_WEAK: { readonly algorithm: string }
  EXPIRED: { readonly at: number }
  EXPIRES_SOON: { readonly at: number; readonly days: number }
  NOT_YET_VALID: { readonly at: number; readonly now: number }
  NOT_FOR_HOST: { readonly host: string; readonly names: readonly string[] }
  NOT_FOR_SERVERS: object
  CHAIN_INCOMPLETE: { readonly issuer: string; readonly url?: string }
  CHAIN_ORDER: object
  CHAIN_FOREIGN: { readonly subjects: readonly string[] }
  CHAIN_EXPIRED: { readonly subject: string; readonly at: number }
  REFUSED: { readonly why: string }
}

export type FaultCode = keyof FaultDetails

/** What a file holds instead of what was wanted. */
export type Found =
  | 'nothing'
  | 'der'
  | 'pkcs12'
  | 'pkcs7'
  | 'request'
  | 'public-key'
  | 'openssh-key'
  | 'only-key'
  | 'only-certificate'
  | 'parameters'

type Sentences = readonly [says: string, mend: string]
type Both = readonly [en: Sentences, ru: Sentences]

const LAYOUTS = 'fullchain.pem, privkey.pem; cert.pem, chain.pem, privkey.pem; tls.crt, tls.key'

const date = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const nameList = (names: readonly string[]): string => names.slice(0, 8).join(', ') || '-'

export const faultTexts: { readonly [C in FaultCode]: (details: FaultDetails[C]) => Both } = {
  FILE_MISSING: ({ linkTo }) =>
    linkTo === undefined
      ? [
          ['there is no such file', 'Give the path of the file, or let certbot make it first'],
          [
            'такого файла нет',
            'Укажите верный путь или сначала получите сертификат, например certbot',
          ],
        ]
      : [
          [
            `it is a link to ${linkTo}, which is not there`,
            'Mount or copy the folder that it points into, too (certbot: archive/ beside live/)',
          ],
          [
            `это ссылка на ${linkTo}, а там ничего нет`,
            'Смонтируйте или скопируйте и ту папку, куда ведёт ссылка (certbot: archive/ рядом с live/)',
          ],
        ],
  FILE_UNREADABLE: ({ us, path, owner, mode }) => [
    [
      `not readable by user ${us}: ${path} belongs to user ${owner}, mode ${mode}`,
      `Let that user read it: setfacl -m u:${us}:rX ${path} (or copy the files in certbot's deploy hook)`,
    ],
    [
      `пользователь ${us} не может его прочесть: ${path} принадлежит пользователю ${owner}, права ${mode}`,
      `Разрешите ему чтение: setfacl -m u:${us}:rX ${path} (или копируйте файлы в deploy hook certbot)`,
    ],
  ],
  FILE_FAILED: ({ why }) => [
    [`cannot be read: ${why}`, 'Look at the disk or the mount'],
    [`не читается: ${why}`, 'Проверьте диск или монтирование'],
  ],
  FILE_TOO_LARGE: ({ octets }) => [
    [`too large for PEM: ${octets} octets`, 'Give a file with one certificate and its chain'],
    [`слишком велик для PEM: ${octets} байт`, 'Укажите файл с одним сертификатом и его цепочкой'],
  ],
  FOLDER_EMPTY: () => [
    [
      'the folder holds no certificate with its key',
      `Put in one of these, here or in a folder of its own: ${LAYOUTS}; NAME.crt, NAME.key`,
    ],
    [
      'в папке нет ни одного сертификата с ключом',
      `Положите сюда или в отдельную папку здесь: ${LAYOUTS}; ИМЯ.crt, ИМЯ.key`,
    ],
  ],
  WRONG_TYPE: ({ found, wanted }) => wrongType(found, wanted),
  MALFORMED: ({ what, why }) => [
    [
      `the ${what} in it is damaged (${why})`,
      'Copy the file anew; it may have been cut off or edited',
    ],
    [
      `${what === 'key' ? 'ключ' : 'сертификат'} в нём повреждён (${why})`,
      'Скопируйте файл заново: возможно, он обрезан или изменён',
    ],
  ],
  KEY_ENCRYPTED: () => [
    [
      'the key is encrypted with a passphrase',
      'Write it without one: openssl pkey -in FILE -out NEW, mode 0600',
    ],
    [
      'ключ зашифрован паролем',
      'Сохраните его без пароля: openssl pkey -in ФАЙЛ -out НОВЫЙ, права 0600',
    ],
  ],
  KEY_MISSING: () => [
    [
      'there is no private key in it, and no key file was given',
      'Set the key file (tls.key; certbot: privkey.pem)',
    ],
    [
      'в нём нет закрытого ключа, и файл с ключом не указан',
      'Укажите файл с ключом (tls.key; у certbot privkey.pem)',
    ],
  ],
  KEY_MISMATCH: ({ key, subject }) => [
    [
      `the certificate (${subject}) is not for the key in ${key}`,
      'Give the two that were made together; after a renewal both change',
    ],
    [
      `сертификат (${subject}) не подходит к ключу из ${key}`,
      'Укажите пару, созданную вместе; при обновлении меняются оба файла',
    ],
  ],
  KEY_UNUSUAL: ({ type }) => [
    [`few mail clients know keys of the type ${type}`, 'Use ECDSA P-256 or RSA 2048'],
    [`мало почтовых клиентов знают ключи типа ${type}`, 'Используйте ECDSA P-256 или RSA 2048'],
  ],
  KEY_WEAK: ({ type }) => [
    [`the key is too weak: ${type}`, 'Use ECDSA P-256 or RSA 2048'],
    [`слишком слабый ключ: ${type}`, 'Используйте ECDSA P-256 или RSA 2048'],
  ],
  KEY_EXPOSED: ({ mode }) => [
    [`every user of this machine can read the key (mode ${mode})`, 'chmod 600 it'],
    [`ключ может прочесть любой пользователь машины (права ${mode})`, 'Сделайте chmod 600'],
  ],
  SIGNATURE_WEAK: ({ algorithm }) => [
    [`it is signed with ${algorithm}, which clients no longer accept`, 'Get a new certificate'],
    [`он подписан ${algorithm}, клиенты этого больше не принимают`, 'Получите новый сертификат'],
  ],
  EXPIRED: ({ at }) => [
    [
      `it expired on ${date(at)}`,
      'Renew it (certbot renew) and see why that did not happen by itself',
    ],
    [
      `его срок истёк ${date(at)}`,
      'Обновите его (certbot renew) и выясните, почему это не произошло само',
    ],
  ],
  EXPIRES_SOON: ({ at, days }) => [
    [`it expires on ${date(at)}, in ${days} days`, 'Renew it; what renews it may have stopped'],
    [
      `его срок истекает ${date(at)}, осталось дней: ${days}`,
      'Обновите его; возможно, автоматическое обновление остановилось',
    ],
  ],
  NOT_YET_VALID: ({ at, now }) => [
    [
      `it is valid only from ${date(at)}; the clock here says ${date(now)}`,
      'Set the clock (timedatectl set-ntp true), or wait',
    ],
    [
      `он действует только с ${date(at)}; часы здесь показывают ${date(now)}`,
      'Настройте часы (timedatectl set-ntp true) или подождите',
    ],
  ],
  NOT_FOR_HOST: ({ host, names }) => [
    [
      `it does not name ${host}, only ${nameList(names)}`,
      `Get one that names ${host}, or set hostname to the name that clients connect to`,
    ],
    [
      `в нём нет имени ${host}, есть только ${nameList(names)}`,
      `Получите сертификат с именем ${host} или задайте hostname тем именем, к которому обращаются клиенты`,
    ],
  ],
  NOT_FOR_SERVERS: () => [
    [
      'its extended key usage does not allow servers',
      'Get one for "TLS Web Server Authentication"',
    ],
    [
      'его назначение (extended key usage) не допускает серверов',
      'Получите сертификат для «TLS Web Server Authentication»',
    ],
  ],
  CHAIN_INCOMPLETE: ({ issuer, url = '' }) => [
    [
      `the chain is incomplete: the certificate of its issuer "${issuer}" is missing`,
      `Use certbot's fullchain.pem, or add it${url && ` (${url})`}; good as it is only if clients trust that issuer itself`,
    ],
    [
      `цепочка неполна: нет сертификата издателя «${issuer}»`,
      `Возьмите fullchain.pem от certbot или добавьте его${url && ` (${url})`}; так можно, только если клиенты верят самому издателю`,
    ],
  ],
  CHAIN_ORDER: () => [
    [
      'the certificates are in the wrong order; we send them in the right one',
      'Put the host’s own first, then each one’s issuer',
    ],
    [
      'сертификаты стоят не по порядку; мы отправляем их в правильном',
      'Поставьте первым сертификат хоста, за ним его издателя и так далее',
    ],
  ],
  CHAIN_FOREIGN: ({ subjects }) => [
    [
      `it holds certificates that do not belong to the chain: ${nameList(subjects)}; we do not send them`,
      'Remove them, and see whether the right ones are there',
    ],
    [
      `в нём есть сертификаты не из этой цепочки: ${nameList(subjects)}; мы их не отправляем`,
      'Уберите их и проверьте, на месте ли нужные',
    ],
  ],
  CHAIN_EXPIRED: ({ subject, at }) => [
    [
      `an intermediate certificate, "${subject}", expired on ${date(at)}`,
      'Get the chain anew from who issued the certificate',
    ],
    [
      `промежуточный сертификат «${subject}» истёк ${date(at)}`,
      'Возьмите новую цепочку у издателя сертификата',
    ],
  ],
  REFUSED: ({ why }) => [
    [`OpenSSL does not take it: ${why}`, 'Get a new certificate and key'],
    [`OpenSSL его не принимает: ${why}`, 'Получите новые сертификат и ключ'],
  ],
}

const WHAT: Readonly<Record<Found, readonly [en: string, ru: string]>> = {
  nothing: ['nothing that is PEM', 'нет ничего в формате PEM'],
  der: ['a certificate or key in DER, not in PEM', 'сертификат или ключ в DER, а не в PEM'],
  pkcs12: ['a PKCS#12 container (.p12, .pfx)', 'контейнер PKCS#12 (.p12, .pfx)'],
  pkcs7: ['a PKCS#7 container (.p7b)', 'контейнер PKCS#7 (.p7b)'],
  request: ['a certificate request (CSR)', 'запрос на сертификат (CSR)'],
  'public-key': ['a public key', 'открытый ключ'],
  'openssh-key': ['a key in the format of OpenSSH', 'ключ в формате OpenSSH'],
  'only-key': ['only a private key', 'только закрытый ключ'],
  'only-certificate': ['only a certificate', 'только сертификат'],
  parameters: ['only parameters of a key', 'только параметры ключа'],
}

const MENDS: Readonly<Partial<Record<Found, string>>> = {
  der: 'openssl x509 -inform der -in FILE -out NEW.pem / openssl pkey -inform der -in FILE -out NEW.pem',
  pkcs12: 'openssl pkcs12 -in FILE -nodes -out NEW.pem',
  pkcs7: 'openssl pkcs7 -print_certs -in FILE -out NEW.pem',
  'openssh-key': 'ssh-keygen -p -m PEM -f FILE',
}

function wrongType(found: Found, wanted: 'certificate' | 'key'): Both {
  const [en, ru] = WHAT[found]
  const mend = MENDS[found]
  const want =
    wanted === 'key' ? ['a private key', 'закрытый ключ'] : ['a certificate', 'сертификат']
  return [
    [
      `it holds ${en}, where ${want[0]} is wanted`,
      mend ? `Convert it: ${mend}` : `Give the file with ${want[0]} in PEM`,
    ],
    [
      `в нём ${ru}, а нужен ${want[1]}`,
      mend ? `Преобразуйте: ${mend}` : `Укажите файл, где ${want[1]} в PEM`,
    ],
  ]
}
