/** What the login service says to a number, where its exact text does not matter. */
export interface Told {
  error: string
  status: number
  message: string
  suberror?: string
}

interface Group extends Told {
  codes: readonly number[]
}

/**
 * Numbers that the login service is known to refuse with, by OAuth's word and HTTP status. The texts are short ones of the
 * simulator's own: whoever reads them is to go by the number.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const groups: readonly Group[] = [
  {
    error: 'invalid_client',
    status: 401,
    message: 'The client could not prove who it is.',
    codes: [
      50012, 50013, 50027, 50032, 50048, 70002, 70021, 70025, 90014, 500133, 700011, 700025, 700030, 700038, 700211,
      700212, 700213, 1000502, 7000110, 7000214, 7000216, 7000232, 7000274, 7000277, 650051,
    ],
  },
  {
    error: 'unauthorized_client',
    status: 400,
    message: 'The client is not allowed to do that in this directory.',
    codes: [50194, 70001, 90008, 90009, 90130, 650059, 1000031, 7000112],
  },
  {
    error: 'invalid_grant',
    status: 400,
    message: 'What was shown does not entitle to a token.',
    codes: [
      50005, 50008, 50034, 50053, 50055, 50056, 50057, 50064, 50085, 50089, 50105, 50107, 50126, 50131, 50132, 50133,
      50135, 50139, 50144, 50173, 51004, 53011, 70043, 70044, 80001, 80002, 80005, 80007, 80010, 80012, 80013, 80014,
      500341, 500571, 501051, 700005, 700007, 700082, 700084, 5000811, 5000819,
    ],
  },
  {
    error: 'invalid_grant',
    status: 400,
    message: 'Access is not allowed by a policy.',
    suberror: 'message_only',
    codes: [53000, 53001, 53002, 53004, 530002, 530003, 530021, 530031, 530032, 530035, 530036, 530084],
  },
  {
    error: 'interaction_required',
    status: 400,
    message: 'The person has to take part in the sign-in.',
    codes: [
      16000, 16001, 16002, 50058, 50072, 50074, 50076, 50078, 50079, 50088, 50097, 50125, 50127, 50129, 50140, 50155,
      50158, 50161, 50168, 50170, 50180, 50187, 50199, 53010, 135011, 160021, 500121, 700003, 700020,
    ],
  },
  {
    error: 'access_denied',
    status: 400,
    message: 'Access was denied to the account.',
    codes: [
      16003, 20001, 20012, 20033, 40008, 40009, 40015, 50002, 50014, 50136, 50143, 50177, 50178, 50197, 90072, 90093,
      90094, 90095, 90123, 90125, 500021, 500022, 500200, 500212, 500213,
    ],
  },
  {
    error: 'invalid_resource',
    status: 400,
    message: 'The resource cannot be used in this directory.',
    codes: [50001, 500014, 650054, 650056, 65005],
  },
  {
    error: 'invalid_scope',
    status: 400,
    message: 'The scope cannot be asked for.',
    codes: [28002, 28003, 65002, 65006, 650053, 700022],
  },
  {
    error: 'invalid_request',
    status: 400,
    message: 'The request cannot be answered.',
    codes: [
      50011, 50029, 50049, 50059, 50128, 50147, 70004, 90004, 90013, 90015, 90019, 90023, 90027, 90043, 90051, 90056,
      90100, 90102, 90124, 100007, 500113, 500208, 501491, 900021, 900023, 900144, 900382, 900384, 900432, 900439,
      900561, 900971, 901002, 1000104, 5000224, 5000225, 9002313, 9002325, 9002326, 9002327, 9002332,
    ],
  },
  {
    error: 'unsupported_response_type',
    status: 400,
    message: 'This kind of answer is not available.',
    codes: [70005, 70007, 700051, 700054],
  },
  {
    error: 'temporarily_unavailable',
    status: 503,
    message: 'The service is not available at present.',
    codes: [40010, 50033, 50087, 50166, 90012, 90090, 90091],
  },
  { error: 'server_error', status: 500, message: 'The service failed.', codes: [50000, 70012, 90036, 90092] },
]

export const toldByNumber: ReadonlyMap<number, Told> = new Map(
  groups.flatMap(({ codes, ...told }) => codes.map((code) => [code, told] as const)),
)
