/** One of Microsoft's clouds: where its people sign in and what its resources are called. */
export interface Cloud {
  name: 'global' | 'us-government' | 'us-dod' | 'china'
  /** Hosts that may sign ID tokens and answer for this cloud's authority. */
  loginHosts: readonly string[]
  /** Whether that origin is one of its Defender XDR API. */
  isDefender(origin: string): boolean
  defenderResource: string
  graphResource: string
  defenderPortal: string
}

const usLogins = ['login.microsoftonline.us']

/**
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud, graph/deployments and
 * defender-xdr/usgov. Tenants of GCC are in the global cloud, with a host of their own for Defender.
 */
const clouds: readonly Cloud[] = [
  {
    name: 'global',
    loginHosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    // Regions: us.api.security.microsoft.com, api-eu.security.microsoft.com.
    isDefender: (origin) =>
      /^https:\/\/([a-z]+[.-])?(api|api-[a-z]+)\.security\.microsoft\.com$/.test(origin) ||
      origin === 'https://api-gcc.security.microsoft.us',
    defenderResource: 'https://api.security.microsoft.com',
    graphResource: 'https://graph.microsoft.com',
    defenderPortal: 'https://security.microsoft.com',
  },
  {
    name: 'us-government',
    loginHosts: usLogins,
    isDefender: (origin) => origin === 'https://api-gov.security.microsoft.us',
    defenderResource: 'https://api-gov.security.microsoft.us',
    graphResource: 'https://graph.microsoft.us',
    defenderPortal: 'https://security.microsoft.us',
  },
  {
    name: 'us-dod',
    loginHosts: usLogins,
    isDefender: (origin) => origin === 'https://api-gov.security.microsoft.us',
    defenderResource: 'https://api-gov.security.microsoft.us',
    graphResource: 'https://dod-graph.microsoft.us',
    defenderPortal: 'https://security.apps.mil',
  },
  {
    name: 'china',
    loginHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    // Microsoft has none there.
    isDefender: () => false,
    defenderResource: 'https://api.security.microsoft.com',
    graphResource: 'https://microsoftgraph.chinacloudapi.cn',
    defenderPortal: 'https://security.microsoft.com',
  },
]

/** The clouds in which people sign in there: two of the United States share a login host. */
export function cloudsOf(origin: string): readonly Cloud[] {
  const { protocol, host } = new URL(origin)
  return protocol === 'https:' ? clouds.filter((cloud) => cloud.loginHosts.includes(host)) : []
}

/** The first cloud behind a login origin; undefined for hosts that are not Microsoft's. */
export const cloudOf = (origin: string): Cloud | undefined => cloudsOf(origin)[0]

/** Every cloud that such an API is of. */
export const cloudsWith = (api: 'graph' | 'defender', origin: string): readonly Cloud[] =>
  clouds.filter((cloud) => (api === 'graph' ? cloud.graphResource === origin : cloud.isDefender(origin)))

/** Behind a loopback authority the tokens' resources stay those of the global cloud. */
export function cloudOrGlobal(origin: string): Cloud {
  return cloudOf(origin) ?? (clouds[0] as Cloud)
}

/** The cloud of a configuration whose origins agree: that of the DoD differs from its neighbour by Graph alone. */
export function cloudFor({ authorityHost, graphUrl }: { authorityHost: string; graphUrl: string }): Cloud {
  const there = cloudsOf(authorityHost)
  return there.find(({ graphResource }) => graphResource === graphUrl) ?? cloudOrGlobal(authorityHost)
}

/** `localhost`, 127.0.0.0/8 or ::1, as `URL.hostname` spells them. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
