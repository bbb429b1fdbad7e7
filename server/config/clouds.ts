/** One of Microsoft's clouds: where its people sign in and what its resources are called. */
export interface Cloud {
  name: 'global' | 'us-government' | 'china'
  /** Hosts that may sign ID tokens and answer for this cloud's authority. */
  loginHosts: readonly string[]
  defenderResource: string
  graphResource: string
  defenderPortal: string
}

/** https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and defender-xdr/usgov. */
const clouds: readonly Cloud[] = [
  {
    name: 'global',
    loginHosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
    defenderResource: 'https://api.security.microsoft.com',
    graphResource: 'https://graph.microsoft.com',
    defenderPortal: 'https://security.microsoft.com',
  },
  {
    name: 'us-government',
    loginHosts: ['login.microsoftonline.us'],
    defenderResource: 'https://api-gov.security.microsoft.us',
    graphResource: 'https://graph.microsoft.us',
    defenderPortal: 'https://security.microsoft.us',
  },
  {
    name: 'china',
    loginHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    defenderResource: 'https://api.security.microsoft.com',
    graphResource: 'https://microsoftgraph.chinacloudapi.cn',
    defenderPortal: 'https://security.microsoft.com',
  },
]

/** The cloud behind a login origin; undefined for hosts that are not Microsoft's. */
export function cloudOf(origin: string): Cloud | undefined {
  const { protocol, host } = new URL(origin)
  return protocol === 'https:' ? clouds.find((cloud) => cloud.loginHosts.includes(host)) : undefined
}

/** Behind a loopback authority the tokens' resources stay those of the global cloud. */
export function cloudOrGlobal(origin: string): Cloud {
  return cloudOf(origin) ?? (clouds[0] as Cloud)
}

/** `localhost`, 127.0.0.0/8 or ::1, as `URL.hostname` spells them. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
